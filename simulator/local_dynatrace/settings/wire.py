"""Wire forms of settings objects, with the selection of ``fields`` (facts: dynatrace-api 4, SC)."""

from __future__ import annotations

from typing import Any

from ..kernel.checks import constraints_violated, violation
from ..kernel.routing import Call
from . import schema
from .objects import SettingsObject

OBJECT_FIELDS = (
    "objectId", "value", "updateToken", "schemaId", "schemaVersion", "scope", "externalId", "created", "modified",
    "createdBy", "modifiedBy", "author", "summary", "searchSummary",
)  # fmt: skip
NOT_KEPT = ("modificationInfo", "resourceContext", "owner")
"""Fields of the list that may be asked for and are absent here: access is not controlled by object."""
LIST_DEFAULT = ("objectId", "value")
"""Not documented [D]: ``updateToken`` must be asked for."""
EFFECTIVE_FIELDS = (
    "summary", "searchSummary", "created", "modified", "createdBy", "modifiedBy", "author", "origin", "schemaId",
    "schemaVersion", "value", "externalId",
)  # fmt: skip
EFFECTIVE_DEFAULT = ("origin", "value")
"""Not documented [D]."""


def fields(call: Call, known: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    asked = tuple(field.strip() for field in call.query.get("fields", "").split(",") if field.strip())
    if unknown := [field for field in asked if field not in (*known, *NOT_KEPT)]:
        raise constraints_violated([violation("fields", f"{unknown[0]} is not a supported field", "QUERY")])
    return asked or default


def settings_object(existing: SettingsObject, shown: tuple[str, ...] = OBJECT_FIELDS) -> dict[str, Any]:
    """An object's shown fields; times are epoch milliseconds."""
    every: dict[str, Any] = {
        "objectId": existing.object_id,
        "value": existing.value,
        "updateToken": existing.update_token,
        "schemaId": schema.ID,
        "schemaVersion": schema.VERSION,
        "scope": schema.SCOPE,
        "created": existing.created_us // 1000,
        "modified": existing.modified_us // 1000,
        "createdBy": existing.created_by,
        "modifiedBy": existing.modified_by,
        "author": existing.author,
        "summary": schema.summary(existing.value),
        "searchSummary": schema.summary(existing.value),
    }
    if existing.external_id is not None:
        every["externalId"] = existing.external_id
    return {field: every[field] for field in OBJECT_FIELDS if field in shown and field in every}


def effective(existing: SettingsObject | None, shown: tuple[str, ...]) -> dict[str, Any]:
    """The value in force by the API's view: the object's, else the schema's default."""
    if existing:
        every = {**settings_object(existing), "origin": schema.SCOPE}
    else:
        text = schema.summary(schema.DEFAULT)
        every = {"value": schema.DEFAULT, "schemaId": schema.ID, "schemaVersion": schema.VERSION}
        every |= {"origin": "builtin", "summary": text, "searchSummary": text}  # word UNVERIFIED
    return {field: every[field] for field in EFFECTIVE_FIELDS if field in shown and field in every}


def page(items: list[dict[str, Any]], size: int) -> dict[str, Any]:
    """One page holds everything there can be, so there is no key of a next one: absent, as the SDK's types have it."""
    return {"items": items, "totalCount": len(items), "pageSize": size}
