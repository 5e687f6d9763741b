"""What a multipart body may say (facts: dynatrace-api 11): checks, and the values to store."""

from __future__ import annotations

import re
from typing import Any

from ..kernel.multipart import Part, parts_of
from ..kernel.routing import Call
from .errors import bad_request, too_large

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ID = re.compile(r"[A-Za-z0-9-]{1,100}")
LENGTHS = {"name": 128, "type": 128, "description": 256, "snapshotDescription": 128}
MAX_CONTENT_MB = 50
FLAGS = {"isPrivate": "is_private", "isReshareable": "is_reshareable"}
CREATE = ("id", "name", "type", "description", "content", "isPrivate", "isReshareable")
UPDATE = ("name", "type", "description", "content", "snapshotDescription", "isPrivate", "isReshareable", "labels")
NEVER_EMPTY = ("name", "type")
CHANGES = ("name", "type", "description", "content", "isPrivate", "isReshareable", "labels")
"""One of them at least has to be in an update."""


def creation(call: Call) -> tuple[str | None, dict[str, Any]]:
    """The id asked for, if any, and the columns of a new document. Raises 400 and 413."""
    given = form(call, CREATE)
    if missing := [name for name in ("name", "type", "content") if name not in given]:
        raise bad_request(call.world, f"Missing: {', '.join(missing)}.")
    id = given["id"].text if "id" in given else None
    if id is not None and (UUID.fullmatch(id) or not ID.fullmatch(id)):
        raise bad_request(call.world, f"id: {id!r} must be 1 to 100 of A-Z, a-z, 0-9 and -, and must not be a UUID.")
    return id, columns(call, given)


def changes(call: Call, names: tuple[str, ...] = UPDATE) -> dict[str, Any]:
    """The columns that an update sets. Raises 400 and 413."""
    given = form(call, names)
    if not any(name in given for name in CHANGES):
        raise bad_request(call.world, f"At least one of these is required: {', '.join(CHANGES)}.")
    return columns(call, given)


def form(call: Call, names: tuple[str, ...]) -> dict[str, Part]:
    """The body's parts by name. ``labels`` may be repeated; a name that is not known is refused [D]."""
    try:
        parts = parts_of(call.headers.get("content-type", ""), call.body)
    except ValueError as error:
        raise bad_request(call.world, str(error)) from None
    given: dict[str, Part] = {}
    for part in parts:
        if part.name not in names:
            raise bad_request(call.world, f"{part.name}: unknown; expected {', '.join(names)}.")
        if part.name in given and part.name != "labels":
            raise bad_request(call.world, f"{part.name}: given twice.")
        given[part.name] = part
        if (most := LENGTHS.get(part.name)) and len(part.text) > most:
            raise bad_request(call.world, f"{part.name}: must not be longer than {most} characters.")
        if part.name in NEVER_EMPTY and not part.text:
            raise bad_request(call.world, f"{part.name}: must not be empty.")
    if "labels" in given:
        given["labels"] = Part("labels", "\n".join(part.text for part in parts if part.name == "labels").encode())
    return given


def columns(call: Call, given: dict[str, Part]) -> dict[str, Any]:
    values: dict[str, Any] = {name: given[name].text for name in ("name", "type", "description") if name in given}
    if content := given.get("content"):
        if not content.content:
            raise bad_request(call.world, "content: must not be empty.")
        if len(content.content) > MAX_CONTENT_MB * 1_000_000:
            raise too_large(call.world, MAX_CONTENT_MB)
        if not content.content_type:
            raise bad_request(call.world, "content: its part needs a Content-Type.")
        values |= {"content": content.content, "content_type": content.content_type}
    for name, column in FLAGS.items():
        if name in given:
            if given[name].text not in ("true", "false"):
                raise bad_request(call.world, f"{name}: must be true or false.")
            values[column] = given[name].text == "true"
    if "labels" in given:
        values["labels"] = given["labels"].text.split("\n")
    return values
