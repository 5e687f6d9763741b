"""The list: filters and pages. The page key carries the filters, as later calls send nothing else."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from typing import Any

from ..kernel.checks import constraints_violated, page_size, violation
from ..kernel.routing import Call
from ..kernel.world import World
from . import access, entries
from .entries import Entry
from .errors import bad_page_key
from .form import SCOPES, TYPES


@dataclass(frozen=True)
class Page:
    """One request of the list."""

    size: int
    type: str = ""
    name: str = ""
    user: str = ""
    scope: str = ""
    after: int = 0
    """Number of the last entry of the page before."""

    def key(self, after: int) -> str:
        text = json.dumps({**asdict(self), "after": after}, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()


EXAMPLE = Page(size=1)


def requested(call: Call) -> Page:
    if "nextPageKey" in call.query:
        if len(call.query) > 1:
            raise bad_page_key()
        try:
            page = Page(**json.loads(base64.b64decode(call.query["nextPageKey"], b"-_", validate=True)))
            return Page(**{key: type(getattr(EXAMPLE, key))(value) for key, value in asdict(page).items()})
        except (binascii.Error, ValueError, TypeError):
            raise bad_page_key() from None
    asked = {key: call.query.get(key, "") for key in ("type", "name", "user", "scope")}
    page = Page(page_size(call.query), asked["type"], asked["name"], asked["user"], asked["scope"])
    for field, value, known in (("type", page.type, TYPES), ("scope", page.scope, SCOPES)):
        if value and value not in known:
            raise constraints_violated([violation(field, f"must be one of {', '.join(sorted(known))}", "QUERY")])
    return page


def listed(world: World, page: Page, user: str) -> tuple[list[Entry], int, str | None]:
    """The page's entries, how many there are on all pages, and the key of the next page."""
    matching = [entry for entry in entries.after(world, 0) if matches(world, entry, page, user)]
    rest = [entry for entry in matching if entry.number > page.after]
    shown = rest[: page.size]
    return shown, len(matching), page.key(shown[-1].number) if len(rest) > page.size else None


def matches(world: World, entry: Entry, page: Page, user: str) -> bool:
    return (
        access.visible(entry, user)
        and page.type in ("", entry.content.type)
        and (not page.scope or page.scope in entry.content.scopes)
        and (not page.name or name_matches(entry.content.name, page.name))
        and (not page.user or access.is_user(world, page.user, entry.owner) or not entry.content.owner_only)
    )


def name_matches(name: str, wanted: str) -> bool:
    """Case-insensitive; in quotation marks the whole phrase, else any of the words (how loose is UNVERIFIED)."""
    name, wanted = name.casefold(), wanted.casefold()
    if len(wanted) >= 2 and wanted[0] == wanted[-1] == '"':
        return wanted[1:-1] in name
    return any(word in name for word in wanted.split())


def answer(world: World, page: Page, user: str, shown: Any) -> dict[str, Any]:
    """The wire form; ``shown`` turns an entry into its element."""
    found, total, key = listed(world, page, user)
    body = {"credentials": [shown(entry) for entry in found], "totalCount": total, "pageSize": page.size}
    return body if key is None else {**body, "nextPageKey": key}
