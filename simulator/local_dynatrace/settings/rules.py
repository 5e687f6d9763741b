"""What each operation does to the settings object, and which hosts scripts may reach now."""

from __future__ import annotations

from typing import Any

from ..kernel.checks import violation
from ..kernel.identity import Principal
from ..kernel.world import World
from . import errors, hostnames, objects, schema
from .objects import SettingsObject

MAX_EXTERNAL_ID = 500


def create(world: World, item: Any, index: int, who: Principal, *, validate_only: bool) -> str | None:
    """One item of a POST; returns the object's id. A known ``externalId`` updates that object (Monaco's upsert)."""
    if not isinstance(item, dict):
        raise errors.invalid([violation(str(index), "Must be an object")], item)
    check_target(item)
    check_value(item, index)
    external_id = item.get("externalId")
    if external_id is not None and not (isinstance(external_id, str) and len(external_id) <= MAX_EXTERNAL_ID):
        raise errors.invalid(
            [violation("externalId", f"Must have at most {MAX_EXTERNAL_ID} characters")], item["value"]
        )
    existing = target(world, item)
    if validate_only:
        return None
    if existing:
        store(world, existing, item["value"], who)
        return existing.object_id
    object_id = objects.insert(world, item["value"], who, external_id)
    changed(world, item["value"])
    return object_id


def target(world: World, item: dict[str, Any]) -> SettingsObject | None:
    """The object that a POST updates instead of making one."""
    if item.get("externalId") is not None:
        if existing := objects.by_external_id(world, item["externalId"]):
            return existing
        if item.get("objectId") is not None:  # "the object that should be replaced"
            return found(world, str(item["objectId"]))
    existing = objects.the_one(world)
    if existing and world.options.settings_post_existing == "conflict":
        raise errors.already_exists()
    return existing


def replace(world: World, object_id: str, body: Any, who: Principal, *, validate_only: bool) -> str:
    """A PUT. Without ``updateToken`` the last writer wins; with a stale one it is a conflict."""
    existing = found(world, object_id)
    if not isinstance(body, dict):
        raise errors.invalid([violation("", "Must be an object")], body)
    check_value(body, 0)
    check_token(existing, body.get("updateToken"))
    if not validate_only:
        store(world, existing, body["value"], who)
    return object_id


def delete(world: World, object_id: str, update_token: str | None) -> None:
    """Back to the schema's default: enforced, with an empty list."""
    check_token(found(world, object_id), update_token)
    objects.remove(world, object_id)
    changed(world, schema.DEFAULT)


def found(world: World, object_id: str) -> SettingsObject:
    existing = objects.find(world, object_id)
    if existing is None:
        raise errors.unknown_object(object_id)
    return existing


def store(world: World, existing: SettingsObject, value: dict[str, Any], who: Principal) -> None:
    objects.update(world, existing.object_id, value, who)
    changed(world, value)


def changed(world: World, value: dict[str, Any]) -> None:
    objects.note_change(world, value)
    world.changed("settings")


def check_target(item: dict[str, Any]) -> None:
    if item.get("schemaId") != schema.ID:
        raise errors.unknown_schema(item.get("schemaId"))
    if item.get("scope") != schema.SCOPE:
        raise errors.unknown_scope(item.get("scope"))


def check_value(body: dict[str, Any], index: int) -> None:
    problems = schema.violations(body.get("value"), index)
    if body.get("schemaVersion") not in (None, *schema.KNOWN_VERSIONS):
        problems.append(violation("schemaVersion", f"Unknown version of {schema.ID}"))
    if problems:
        raise errors.invalid(problems, body.get("value"))


def check_token(existing: SettingsObject, update_token: Any) -> None:
    if update_token is not None and update_token != existing.update_token:
        raise errors.stale_token()


def value_now(world: World) -> dict[str, Any]:
    """The value as APIs show it: at once, and the schema's default where there is no object."""
    existing = objects.the_one(world)
    return existing.value if existing else schema.DEFAULT


# for the runtime


def allowed_outbound(world: World) -> tuple[bool, frozenset[str]]:
    """(enforced, entries) as they are in effect now: each change, a removal too, takes ``allowlist_settles_s``."""
    enforced, hosts = schema.effective_hosts(objects.settled_value(world))
    return enforced, frozenset(hosts)


def host_allowed(world: World, host: str) -> bool:
    """Whether a script's request to this host (no port) may pass now."""
    enforced, entries = allowed_outbound(world)
    depth = world.options.wildcard_depth
    return not enforced or any(hostnames.covers(entry, host, depth) for entry in entries)


# for the seed


def plant(world: World, hosts: list[str], who: Principal) -> None:
    """Give a fresh environment an allowlist that is in effect already."""
    value = {schema.GROUP: {schema.ENFORCED: True, schema.HOSTS: hosts}}
    check_value({"value": value}, 0)
    objects.insert(world, value, who, None)
    objects.note_change(world, value, at_us=0)
