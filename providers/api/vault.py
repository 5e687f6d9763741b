"""The credential vault, behind one adapter, as a new vault API is coming (``/platform/credential-vault/v1/entries``).

Classic API v2 (``/api/v2/credentials``): names are not unique, a PUT replaces the whole entry and needs the secret,
no answer ever contains a secret, there is no version and no modification time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import ApiError, DynatraceError, NotFound, TransportError

PATH = "/api/v2/credentials"
PAGE_SIZE = 500
CREATE_TRIES = 3
LOOK_UP_AFTER_S = (0.5, 1.0, 2.0, 3.0, 3.5)

Call = Callable[..., Any]


@dataclass(frozen=True)
class Entry:
    """An entry's metadata. ``type`` is ``USERNAME_PASSWORD`` or ``TOKEN``."""

    id: str
    name: str
    type: str
    description: str
    owner: str
    owner_access_only: bool
    for_scripts: bool
    """Scope ``APP_ENGINE`` and ``allowContextlessRequests``: without both, a Run JavaScript task cannot read it."""


def entry_of(element: dict[str, Any]) -> Entry:
    # Answers were seen with `scope` alone (terraform-provider-dynatrace#431).
    scopes = {*(element.get("scopes") or ()), element.get("scope")}
    return Entry(
        id=str(element["id"]),
        name=str(element.get("name") or ""),
        type=str(element.get("type") or ""),
        description=str(element.get("description") or ""),
        owner=str(element.get("owner") or ""),
        owner_access_only=bool(element.get("ownerAccessOnly")),
        for_scripts="APP_ENGINE" in scopes and bool(element.get("allowContextlessRequests")),
    )


def entry_body(
    *, name: str, type: str, description: str, owner_access_only: bool, secret: dict[str, str]
) -> dict[str, Any]:
    """The whole entry as POST and PUT take it; ``secret`` is ``{user, password}`` or ``{token}``.

    ``allowContextlessRequests`` lets a Run JavaScript task read it. The deprecated ``scope`` is not sent.
    """
    return {
        "name": name,
        "type": type,
        "description": description,
        "scopes": ["APP_ENGINE"],
        "ownerAccessOnly": owner_access_only,
        "allowContextlessRequests": True,
        **secret,
    }


def server_time(headers: Mapping[str, str]) -> datetime:
    """When the server answered; this machine's time without a readable ``Date``."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC).replace(microsecond=0)


class Vault:
    """Entries of one environment; one write at a time, one listing for all look-ups of a process."""

    def __init__(self, call: Call, sleep: Callable[[float], None]) -> None:
        self._call, self._sleep = call, sleep
        self._writing = threading.Lock()
        self.written: dict[str, datetime] = {}
        """When this process wrote an entry, by the server's clock: the vault itself has no such time."""
        self._listing: list[Entry] | None = None
        self._listing_lock = threading.Lock()

    def entries(self) -> list[Entry]:
        """All entries this token may see, unfiltered (the ``name`` filter is a fuzzy search)."""
        with self._listing_lock:
            if self._listing is None:
                self._listing = self._list()
            return self._listing

    def _list(self) -> list[Entry]:
        found: list[Entry] = []
        query: dict[str, Any] = {"pageSize": PAGE_SIZE}
        while True:
            page = self._call("GET", PATH, query=query)
            found += [entry_of(element) for element in page["credentials"]]
            if not page.get("nextPageKey"):
                return found
            # With the key, all other parameters are refused.
            query = {"nextPageKey": page["nextPageKey"]}

    def forget_listing(self) -> None:
        with self._listing_lock:
            self._listing = None

    def _update_listing(self, entry: Entry) -> None:
        """Keep the listing up to date with what this process writes."""
        with self._listing_lock:
            if self._listing is not None:
                self._listing = [*(other for other in self._listing if other.id != entry.id), entry]

    def get(self, id: str) -> Entry | None:
        """An entry's metadata; None if it is gone."""
        try:
            return entry_of(self._call("GET", f"{PATH}/{id}"))
        except NotFound:
            return None

    def create(self, body: dict[str, Any], is_mine: Callable[[Entry], bool]) -> str:
        """Create an entry; returns its id.

        A POST whose answer is lost may have created the entry, and a listing may lag behind: it is looked for several
        times (``is_mine`` recognises it), and the POST is repeated only after 503, which says that nothing was done.
        """
        with self._writing:
            for _ in range(CREATE_TRIES):
                headers: dict[str, str] = {}
                try:
                    id = str(self._call("POST", PATH, body=body, answer_headers=headers)["id"])
                except (TransportError, ApiError) as error:
                    status = error.status if isinstance(error, ApiError) else None
                    if status is not None and status < 500:
                        raise
                    if found := self._appeared(is_mine):
                        return found
                    if status != 503:
                        raise DynatraceError(
                            f"it is unknown whether vault entry “{body['name']}” was created ({error}). It did not "
                            f"appear within {sum(LOOK_UP_AFTER_S):.0f} s; run `pulumi up` again, which looks for it"
                        ) from None
                    failure = error
                else:
                    self._update_listing(entry_of({**body, "id": id}))
                    self.written[id] = server_time(headers)
                    return id
            raise failure

    def _appeared(self, is_mine: Callable[[Entry], bool]) -> str | None:
        for seconds in LOOK_UP_AFTER_S:
            self._sleep(seconds)
            self.forget_listing()
            try:
                mine = [entry.id for entry in self.entries() if is_mine(entry)]
            except DynatraceError:
                return None
            if mine:
                return mine[0]
        return None

    def replace(self, id: str, body: dict[str, Any]) -> None:
        """Replace a whole entry, secret included. Raises DynatraceError if it had been deleted."""
        with self._writing:
            headers: dict[str, str] = {}
            answer = self._call("PUT", f"{PATH}/{id}", body=body, answer_headers=headers)
            if isinstance(answer, dict) and answer.get("id"):
                # 201: the entry was gone and this PUT made a new one, under whatever id.
                self._call("DELETE", f"{PATH}/{answer['id']}")
                raise DynatraceError(
                    f"vault entry “{body['name']}” ({id}) was deleted outside Pulumi; run `pulumi up --refresh`, "
                    "which creates it again"
                )
            self._update_listing(entry_of({**body, "id": id}))
            self.written[id] = server_time(headers)

    def delete(self, id: str) -> None:
        """Delete an entry; one that is gone already is a success."""
        with self._writing:
            with suppress(NotFound):
                self._call("DELETE", f"{PATH}/{id}")
            self.forget_listing()
