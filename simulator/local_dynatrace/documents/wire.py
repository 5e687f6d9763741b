"""Documents as they go over the wire (facts: dynatrace-api 11)."""

from __future__ import annotations

from typing import Any

from ..kernel.clock import iso
from ..kernel.routing import Call
from . import access
from .tables import Document

Json = dict[str, Any]


def metadata(call: Call, document: Document) -> Json:
    """As the caller sees it. The version is a number or text: clients meet both (facts: dynatrace-api 11)."""
    body: Json = {
        "id": document.id,
        "name": document.name,
        "type": document.type,
        "version": version(call, document),
        "owner": document.owner,
        "modificationInfo": modification(document),
        "access": access.rights(document, call.who.user, access.is_admin(call)),
        "isPrivate": document.is_private,
        "isReshareable": document.is_reshareable,
    }
    if document.description is not None:
        body["description"] = document.description
    if document.labels:
        body["labels"] = document.labels
    return body


def version(call: Call, document: Document) -> int | str:
    return str(document.version) if call.world.options.document_versions == "text" else document.version


def modification(document: Document) -> Json:
    return {
        "createdBy": document.created_by,
        "createdTime": iso(document.created_us),
        "lastModifiedBy": document.modified_by,
        "lastModifiedTime": iso(document.modified_us),
    }


def trash_entry(document: Document) -> Json:
    assert document.deleted_us is not None
    deletion = {"deletedBy": document.deleted_by, "deletedTime": iso(document.deleted_us)}
    return {"id": document.id, "name": document.name, "type": document.type, "deletionInfo": deletion}


def trashed(document: Document) -> Json:
    return {
        **trash_entry(document),
        "version": document.version,
        "owner": document.owner,
        "modificationInfo": modification(document),
    }
