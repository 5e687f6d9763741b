"""Wire forms of settings objects, with the selection of ``fields`` (facts: dynatrace-api 4, SC)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kernel.checks import constraints_violated, violation
from .objects import SettingsObject
from .schema import SCOPE, Schema

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


def fields(query: Mapping[str, str], known: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    asked = tuple(field.strip() for field in query.get("fields", "").split(",") if field.strip())
    if unknown := [field for field in asked if field not in (*known, *NOT_KEPT)]:
        raise constraints_violated([violation("fields", f"{unknown[0]} is not a supported field", "QUERY")])
    return asked or default


def settings_object(existing: SettingsObject, shown: tuple[str, ...] = OBJECT_FIELDS) -> dict[str, Any]:
    """An object's shown fields; times are epoch milliseconds."""
    every: dict[str, Any] = {
        "objectId": existing.object_id,
        "value": existing.value,
        "updateToken": existing.update_token,
        "schemaId": existing.schema_id,
        "schemaVersion": existing.schema.version,
        "scope": SCOPE,
        "created": existing.created_us // 1000,
        "modified": existing.modified_us // 1000,
        "createdBy": existing.created_by,
        "modifiedBy": existing.modified_by,
        "author": existing.author,
        "summary": existing.schema.summary(existing.value),
        "searchSummary": existing.schema.summary(existing.value),
    }
    if existing.external_id is not None:
        every["externalId"] = existing.external_id
    return {field: every[field] for field in OBJECT_FIELDS if field in shown and field in every}


def effective(existing: SettingsObject, shown: tuple[str, ...]) -> dict[str, Any]:
    """An object's value, which is in force by the API's view."""
    return chosen({**settings_object(existing), "origin": SCOPE}, shown)


def default(schema: Schema, shown: tuple[str, ...]) -> dict[str, Any]:
    """What is in force without an object."""
    assert schema.default is not None
    text = schema.summary(schema.default)
    every = {"value": schema.default, "schemaId": schema.id, "schemaVersion": schema.version}
    return chosen({**every, "origin": "builtin", "summary": text, "searchSummary": text}, shown)  # word UNVERIFIED


def chosen(every: dict[str, Any], shown: tuple[str, ...]) -> dict[str, Any]:
    return {field: every[field] for field in EFFECTIVE_FIELDS if field in shown and field in every}


def page(items: list[dict[str, Any]], offset: int, size: int, key: str) -> dict[str, Any]:
    """One page of a list. ``key`` is that of the next page; without one it is absent, as the SDK's types have it."""
    more = {"nextPageKey": key} if offset + size < len(items) else {}
    return {"items": items[offset : offset + size], "totalCount": len(items), "pageSize": size, **more}
