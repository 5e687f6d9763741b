"""Who may do what with a document: its owner everything, everybody else read what is public (facts: dynatrace-api 11).

Shares are not simulated. ``admin-access=true`` makes the caller the owner of every document, by a scope of its own.
"""

from __future__ import annotations

from typing import Literal

from ..kernel.routing import Call, platform_error
from . import errors, tables
from .tables import Document

ADMIN = "document:documents:admin"
Right = Literal["read", "write", "delete"]
WORDS = {"read": "read", "write": "change", "delete": "delete"}


def is_admin(call: Call) -> bool:
    """Whether this call is made as owner of every document. Raises 403 without the scope."""
    if call.query.get("admin-access", "").lower() != "true":
        return False
    if ADMIN not in call.who.scopes:
        raise platform_error(403, "Insufficient permissions.", {"missingScopes": [ADMIN]})
    return True


def rights(document: Document, user: str, admin: bool) -> list[Right]:
    if admin or document.owner == user:
        return ["read", "write", "delete"]
    return [] if document.is_private else ["read"]


def allowed(call: Call, right: Right, *, id: str | None = None, trashed: bool = False) -> Document:
    """The document of the path (or with ``id``) for a caller who has the right. Raises 404 and 403."""
    id = call.params["id"] if id is None else id
    document = tables.find(call.world, id)
    if document is None or (document.deleted_us is not None) != trashed:
        raise errors.not_found(call.world, id, " in the trash" if trashed else "")
    if right not in rights(document, call.who.user, is_admin(call)):
        raise errors.forbidden(call.world, id, WORDS[right])
    return document
