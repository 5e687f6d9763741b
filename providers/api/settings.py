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


class Settings:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self.last_seen: Allowlist | None = None
        """The list as it was read last; good for one write, which fails with Conflict where it is out of date."""

    def allowlist(self) -> Allowlist:
        # The default field set is not documented: updateToken must be asked for.
        query = {"schemaIds": SCHEMA, "scopes": "environment", "fields": "objectId,value,updateToken"}
        items = self._call("GET", PATH, query=query)["items"]
        self.last_seen = self._seen(items)
        return self.last_seen

    def _seen(self, items: list[dict[str, Any]]) -> Allowlist:
        if not items:
            return Allowlist(None, None, True, ())
        inner = items[0]["value"]["allowedOutboundConnections"]
        hosts = tuple(inner.get("hostList") or ())
        return Allowlist(items[0]["objectId"], items[0].get("updateToken"), bool(inner["enforced"]), hosts)

    def write_allowlist(self, seen: Allowlist, hosts: tuple[str, ...]) -> str:
        """Write the list on top of what was seen; returns the object's id. Raises Conflict if it has changed since."""
        self.last_seen = None
        value = value_of(seen.enforced, hosts)
        if seen.object_id is None:
            item = {"schemaId": SCHEMA, "scope": "environment", "value": value}
            return str(self._call("POST", PATH, body=[item])[0]["objectId"])
        body = {"value": value, "updateToken": seen.update_token}
        self._call("PUT", f"{PATH}/{seen.object_id}", body=body)
        return seen.object_id

    def delete_allowlist(self, seen: Allowlist) -> None:
        """Remove the object itself (for one that we created and that is empty again)."""
        self.last_seen = None
        with suppress(NotFound):
            self._call("DELETE", f"{PATH}/{seen.object_id}", query={"updateToken": seen.update_token})
