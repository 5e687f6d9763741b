"""The outbound allowlist: one Settings 2.0 object per environment, which all teams share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .errors import NotFound

PATH = "/api/v2/settings/objects"
SCHEMA = "builtin:dt-javascript-runtime.allowed-outbound-connections"
MOST_HOSTS = 100


@dataclass(frozen=True)
class Allowlist:
    """``object_id`` None: there is no object yet, which means enforced with an empty list."""

    object_id: str | None
    update_token: str | None
    enforced: bool
    hosts: tuple[str, ...]


def value_of(enforced: bool, hosts: tuple[str, ...]) -> dict[str, Any]:
    """The object's value; ``hostList`` exists only while the list is enforced."""
    inner: dict[str, Any] = {"enforced": enforced}
    if enforced:
        inner["hostList"] = list(hosts)
    return {"allowedOutboundConnections": inner}


class AllowlistSettings:
    """Reads and writes the list as a whole."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def read(self) -> Allowlist:
        # The default field set is not documented: updateToken must be asked for.
        query = {"schemaIds": SCHEMA, "scopes": "environment", "fields": "objectId,value,updateToken"}
        items = self._call("GET", PATH, query=query)["items"]
        if not items:
            return Allowlist(None, None, True, ())
        inner = items[0]["value"]["allowedOutboundConnections"]
        hosts = tuple(inner.get("hostList") or ())
        return Allowlist(items[0]["objectId"], items[0].get("updateToken"), bool(inner["enforced"]), hosts)

    def write(self, read: Allowlist, hosts: tuple[str, ...]) -> str:
        """Write the list on top of what was read; returns the object's ID. Raises Conflict if it has changed since."""
        value = value_of(read.enforced, hosts)
        if read.object_id is None:
            item = {"schemaId": SCHEMA, "scope": "environment", "value": value}
            return str(self._call("POST", PATH, body=[item])[0]["objectId"])
        body = {"value": value, "updateToken": read.update_token}
        self._call("PUT", f"{PATH}/{read.object_id}", body=body)
        return read.object_id

    def delete(self, read: Allowlist) -> None:
        """Remove the object itself (for one that we created and that is empty again)."""
        with suppress(NotFound):
            self._call("DELETE", f"{PATH}/{read.object_id}", query={"updateToken": read.update_token})
