"""What each operation does to the settings objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..kernel.checks import Violation, violation
from ..kernel.identity import Principal
from ..kernel.world import World
from . import constraints, detectors, errors, objects, outbound
from .objects import SettingsObject
from .schema import DETECTORS, OUTBOUND, SCHEMAS, SCOPE, Schema

MAX_EXTERNAL_ID = 500
WRITERS: dict[str, Callable[[World, Principal, dict[str, Any], str], list[Violation]]] = {DETECTORS: detectors.problems}
"""By schema: what stands against a caller writing a valid value."""
EFFECTS: dict[str, Callable[[World], None]] = {OUTBOUND: outbound.note_change}
"""By schema: what a change sets off."""


def create(world: World, item: Any, index: int, who: Principal, *, validate_only: bool) -> str | None:
    """One item of a POST; returns the object's id. A known ``externalId`` updates that object (Monaco's upsert)."""
    if not isinstance(item, dict):
        raise errors.invalid([violation(str(index), "Must be an object")], item)
    schema = target_schema(item)
    check_value(world, schema, item, index, who)
    external_id = item.get("externalId")
    if external_id is not None and not (isinstance(external_id, str) and len(external_id) <= MAX_EXTERNAL_ID):
        raise errors.invalid(
            [violation("externalId", f"Must have at most {MAX_EXTERNAL_ID} characters")], item["value"]
        )
    existing = target(world, schema, item)
    if existing is None and schema.many and len(objects.of_schema(world, schema.id)) >= schema.max_objects:
        raise errors.too_many(schema.id, schema.max_objects)
    if validate_only:
        return None
    if existing:
        store(world, existing, item["value"], who)
        return existing.object_id
    object_id = objects.insert(world, schema.id, item["value"], who, external_id)
    changed(world, schema.id)
    return object_id


def target(world: World, schema: Schema, item: dict[str, Any]) -> SettingsObject | None:
    """The object that a POST updates instead of making one."""
    if item.get("externalId") is not None:
        if existing := objects.by_external_id(world, schema.id, item["externalId"]):
            return existing
        if item.get("objectId") is not None:  # "the object that should be replaced"
            return found(world, str(item["objectId"]))
    if schema.many:
        return None
    existing = objects.the_one(world, schema.id)
    if existing and world.options.settings_post_existing == "conflict":
        raise errors.already_exists()
    return existing


def replace(world: World, object_id: str, body: Any, who: Principal, *, validate_only: bool) -> str:
    """A PUT. Without ``updateToken`` the last writer wins; with a stale one it is a conflict."""
    existing = found(world, object_id)
    if not isinstance(body, dict):
        raise errors.invalid([violation("", "Must be an object")], body)
    check_value(world, existing.schema, body, 0, who)
    check_token(existing, body.get("updateToken"))
    if not validate_only:
        store(world, existing, body["value"], who)
    return object_id


def delete(world: World, object_id: str, who: Principal, update_token: str | None) -> None:
    """Without its object a schema is back to its default, if it has one."""
    existing = found(world, object_id)
    if existing.schema.oauth_only and who.kind != "bearer":
        raise errors.no_oauth()
    check_token(existing, update_token)
    objects.remove(world, object_id)
    changed(world, existing.schema_id)


def found(world: World, object_id: str) -> SettingsObject:
    existing = objects.find(world, object_id)
    if existing is None:
        raise errors.unknown_object(object_id)
    return existing


def store(world: World, existing: SettingsObject, value: dict[str, Any], who: Principal) -> None:
    objects.update(world, existing.object_id, value, who)
    changed(world, existing.schema_id)


def changed(world: World, schema_id: str) -> None:
    if effect := EFFECTS.get(schema_id):
        effect(world)
    world.changed("settings", schema_id)


def target_schema(item: dict[str, Any]) -> Schema:
    schema = SCHEMAS.get(str(item.get("schemaId")))
    if schema is None:
        raise errors.unknown_schema(item.get("schemaId"))
    if item.get("scope") != SCOPE:
        raise errors.unknown_scope(item.get("scope"))
    return schema


def check_value(world: World, schema: Schema, body: dict[str, Any], index: int, who: Principal) -> None:
    value = body.get("value")
    problems = constraints.violations(schema, value, index)
    if body.get("schemaVersion") is not None and not schema.knows(body["schemaVersion"]):
        problems.append(violation("schemaVersion", f"Unknown version of {schema.id}"))
    if not problems and schema.id in WRITERS:
        assert isinstance(value, dict)
        problems = WRITERS[schema.id](world, who, value, f"{schema.id}/{index}")
    if problems:
        raise errors.invalid(problems, value)


def check_token(existing: SettingsObject, update_token: Any) -> None:
    if update_token is not None and update_token != existing.update_token:
        raise errors.stale_token()
