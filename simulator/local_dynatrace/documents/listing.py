"""Filter, order and pages of list calls (facts: dynatrace-api 11)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from typing import Any

from ..kernel.routing import Call
from .errors import bad_request
from .filters import field, test_of

Json = dict[str, Any]
DEFAULT_PAGE, MAX_PAGE, MAX_SORT_KEYS = 20, 1000, 5
MODIFICATION = (
    "modificationInfo.createdTime", "modificationInfo.createdBy", "modificationInfo.lastModifiedTime",
    "modificationInfo.lastModifiedBy",
)  # fmt: skip
FILTERS = ("id", "name", "type", "version", "owner", *MODIFICATION, "originAppId", "originExtensionId")
TRASH_FILTERS = ("id", "name", "type", "deletionInfo.deletedTime", "deletionInfo.deletedBy")
SORTS = ("name", "type", "version", "owner", *MODIFICATION, "originAppId")


def page(call: Call, entries: list[Json], filters: Collection[str], sorts: Collection[str] = ()) -> Json:
    """``{documents, totalCount, nextPageKey?}`` of wire forms in the order of their ids. Raises a 400."""
    if text := call.query.get("filter"):
        try:
            test = test_of(text, filters)
        except ValueError as error:
            raise bad_request(call.world, f"filter: {error}.") from None
        entries = [entry for entry in entries if test(entry)]
    entries = ordered(call, entries, sorts)
    size, first = page_size(call), start(call)
    body: Json = {"documents": entries[first : first + size], "totalCount": len(entries)}
    if first + size < len(entries):
        body["nextPageKey"] = base64.urlsafe_b64encode(str(first + size).encode()).decode()
    return body


def ordered(call: Call, entries: list[Json], sorts: Collection[str]) -> list[Json]:
    keys = call.query["sort"].split(",") if call.query.get("sort") else []
    if len(keys) > MAX_SORT_KEYS:
        raise bad_request(call.world, f"sort: more than {MAX_SORT_KEYS} keys.")
    for key in reversed(keys):
        name = key.removeprefix("-")
        if name not in sorts:
            raise bad_request(call.world, f"sort: unknown field {name!r}.")
        entries = sorted(entries, key=lambda entry: sort_key(field(entry, name)), reverse=key.startswith("-"))
    return entries


def sort_key(value: Any) -> tuple[int, str]:
    """Numbers by value, text without regard to case (SDO)."""
    return (value, "") if isinstance(value, int) else (0, str(value or "").lower())


def page_size(call: Call) -> int:
    text = call.query.get("page-size", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_PAGE):
        raise bad_request(call.world, f"page-size: must be 1 to {MAX_PAGE}.")
    return int(text)


def start(call: Call) -> int:
    key = call.query.get("page-key")
    if not key:
        return 0
    try:
        return int(base64.urlsafe_b64decode(key))
    except (ValueError, binascii.Error):
        raise bad_request(call.world, "page-key: not one of ours.") from None
