"""Documents, such as dashboards (``/platform/document/v1``, OAuth bearer tokens).

Create and update are multipart, and every change names the version it was made for (facts: dynatrace-api 11).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .errors import ApiError, NotFound
from .scopes import DOCUMENT_SCOPES, TRASH_SCOPES

PATH = "/platform/document/v1"

Json = dict[str, Any]


def version_of(metadata: Json) -> int:
    """The locking version; servers write it as a number or as text."""
    return int(metadata["version"])


class Documents:
    """Documents of one environment, as the OAuth client's user sees them."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._bare_call = call

    def _call(self, method: str, path: str, **more: Any) -> Any:
        return self._bare_call(method, PATH + path, **{"scopes": DOCUMENT_SCOPES, **more})

    def probe(self) -> None:
        """Raises what a first call raises: wrong address, missing scope or permission."""
        self._call("GET", "/documents", query={"page-size": 1})

    def metadata(self, id: str) -> Json | None:
        """The document without its content; None if it is gone, in the trash, or not visible to this user."""
        try:
            found: Json = self._call("GET", f"/documents/{id}/metadata")
        except NotFound:
            return None
        return found

    def dashboards(self) -> list[Json]:
        """The metadata of all dashboards that this user can see."""
        query = {"filter": "type == 'dashboard'", "page-size": 1000}
        found: list[Json] = []
        while True:
            page = self._call("GET", "/documents", query=query)
            found += page["documents"]
            if not page.get("nextPageKey"):
                return found
            query["page-key"] = page["nextPageKey"]

    def content(self, id: str) -> Json:
        found: Json = self._call("GET", f"/documents/{id}/content")
        return found

    def create(self, fields: dict[str, str], content: Json) -> Json:
        """Returns the metadata. Raises Conflict if the ID is in use."""
        created: Json = self._call("POST", "/documents", form=fields, files=parts(content))
        return created

    def update(self, id: str, version: int, fields: dict[str, str], content: Json) -> Json:
        """Returns the metadata. Raises Conflict if the document is not at this version any more."""
        query = {"optimistic-locking-version": str(version)}
        answer: Json = self._call("PATCH", f"/documents/{id}", query=query, form=fields, files=parts(content))
        changed: Json = answer.get("documentMetadata") or answer
        return changed

    def make_public(self, metadata: Json) -> Json:
        """Let every user of the environment read the document; returns its metadata, whose version may be behind."""
        id = metadata["id"]
        try:
            self._call("POST", f"/documents/{id}:makePublic")
        except ApiError as error:
            if error.status not in (404, 405):
                raise
            # Before version 1.35 of the API (August 2026) there was only the field.
            query = {"optimistic-locking-version": str(version_of(metadata))}
            answer = self._call("PATCH", f"/documents/{id}", query=query, files={"isPrivate": (None, "false")})
            return {**metadata, **(answer.get("documentMetadata") or {})}
        return {**metadata, "isPrivate": False}

    def delete(self, id: str, version: int) -> None:
        """Move a document to the trash; one that is gone already is a success. Raises Conflict on another version."""
        with suppress(NotFound):
            self._call("DELETE", f"/documents/{id}", query={"optimistic-locking-version": str(version)})

    # trash

    def trashed(self, id: str) -> Json | None:
        """A deleted document; None if the trash has none of this ID. Needs the optional scopes of the trash."""
        try:
            found: Json = self._call("GET", f"/trash/documents/{id}", scopes=TRASH_SCOPES)
        except NotFound:
            return None
        return found

    def purge(self, id: str) -> None:
        """Delete a document from the trash for good."""
        with suppress(NotFound):
            self._call("DELETE", f"/trash/documents/{id}", scopes=TRASH_SCOPES)


def parts(content: Json) -> dict[str, tuple[str, str, str]]:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    return {"content": ("content.json", text, "application/json")}
