"""Anomaly detectors: settings objects that only a bearer token may write (facts: alerting 1)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .errors import NotFound
from .scopes import DETECTOR_SCOPES

PATH = "/platform/classic/environment-api/v2/settings/objects"
SCHEMA = "builtin:davis.anomaly-detectors"
PAGE_SIZE = 500

Json = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    id: str
    value: Json
    update_token: str | None


class Detectors:
    """The detectors of one environment."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._bare_call = call
        self._lock = threading.Lock()
        self._listed: list[Stored] | None = None
        self._validated = False

    def _call(self, method: str, path: str, **more: Any) -> Any:
        return self._bare_call(method, path, scopes=DETECTOR_SCOPES, **more)

    def listed(self) -> list[Stored]:
        """All detectors, as they were when this process first asked."""
        with self._lock:
            if self._listed is None:
                self._listed = self._all()
            return self._listed

    def _all(self) -> list[Stored]:
        fields = "objectId,value,updateToken"
        query: Json = {"schemaIds": SCHEMA, "scopes": "environment", "fields": fields, "pageSize": PAGE_SIZE}
        found: list[Stored] = []
        while True:
            page = self._call("GET", PATH, query=query)
            found += [stored(item) for item in page["items"]]
            if not page.get("nextPageKey"):
                return found
            query = {"nextPageKey": page["nextPageKey"]}

    def read(self, id: str) -> Stored | None:
        """The detector; None if it is gone."""
        try:
            return stored(self._call("GET", f"{PATH}/{id}"))
        except NotFound:
            return None

    def create(self, value: Json) -> str:
        """Returns the new object's ID. The first one of a process is validated before it is written: Dynatrace checks
        the actor and the token's kind then."""
        body = [{"schemaId": SCHEMA, "scope": "environment", "value": value}]
        with self._lock:
            if not self._validated:
                self._call("POST", PATH, query={"validateOnly": "true"}, body=body, writes=False)
                self._validated = True
        return str(self._call("POST", PATH, body=body)[0]["objectId"])

    def update(self, read: Stored, value: Json) -> None:
        """Replace the value. Raises Conflict if the detector has changed since it was read."""
        body = {"value": value, **({"updateToken": read.update_token} if read.update_token else {})}
        self._call("PUT", f"{PATH}/{read.id}", body=body)

    def delete(self, id: str) -> None:
        """Delete a detector; one that is gone already is a success."""
        with suppress(NotFound):
            self._call("DELETE", f"{PATH}/{id}")


def stored(item: Json) -> Stored:
    return Stored(item["objectId"], item["value"], item.get("updateToken"))
