"""The stored settings object, and since when which hosts are meant: the runtime learns of a change with a delay."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.identity import Principal
from ..kernel.rows import RowChecks
from ..kernel.store import Row
from ..kernel.world import World
from . import schema

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings_objects (
    object_id TEXT PRIMARY KEY, external_id TEXT UNIQUE, value TEXT NOT NULL, revision INTEGER NOT NULL,
    created_us INTEGER NOT NULL, created_by TEXT NOT NULL,
    modified_us INTEGER NOT NULL, modified_by TEXT NOT NULL, author TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings_outbound_history (
    number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, value TEXT NOT NULL);
"""


def a_valid_value(entry: dict[str, Any], value: Any) -> None:
    if found := schema.violations(value):
        raise ValueError(f"{found[0]['path']}: {found[0]['message']}")


ROW_CHECKS = RowChecks(
    {("settings_objects", "value"): a_valid_value, ("settings_outbound_history", "value"): a_valid_value}
)


@dataclass(frozen=True)
class SettingsObject:
    object_id: str
    external_id: str | None
    value: dict[str, Any]
    revision: int
    created_us: int
    created_by: str
    modified_us: int
    modified_by: str
    author: str
    """Public id of the API token that wrote last, else the user."""

    @property
    def update_token(self) -> str:
        """Another one after each write; opaque to clients."""
        digest = hashlib.sha256(f"{self.object_id}/{self.revision}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def read(row: Row) -> SettingsObject:
    return SettingsObject(**{**dict(row), "value": json.loads(row["value"])})


def find(world: World, object_id: str) -> SettingsObject | None:
    row = world.store.one("SELECT * FROM settings_objects WHERE object_id = ?", object_id)
    return read(row) if row else None


def by_external_id(world: World, external_id: str) -> SettingsObject | None:
    row = world.store.one("SELECT * FROM settings_objects WHERE external_id = ?", external_id)
    return read(row) if row else None


def the_one(world: World) -> SettingsObject | None:
    """The object of the environment: the schema allows a single one."""
    row = world.store.one("SELECT * FROM settings_objects")
    return read(row) if row else None


def insert(world: World, value: dict[str, Any], who: Principal, external_id: str | None) -> str:
    name = f"{schema.ID}\0{schema.SCOPE}\0{world.ids.uuid()}"
    object_id = base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
    now = world.clock.now_us()
    world.store.run(
        "INSERT INTO settings_objects VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)",
        object_id, external_id, json.dumps(value), now, who.user, now, who.user, author(who),
    )  # fmt: skip
    return object_id


def update(world: World, object_id: str, value: dict[str, Any], who: Principal) -> None:
    world.store.run(
        "UPDATE settings_objects SET value = ?, revision = revision + 1, modified_us = ?, modified_by = ?, author = ? "
        "WHERE object_id = ?",
        json.dumps(value), world.clock.now_us(), who.user, author(who), object_id,
    )  # fmt: skip


def remove(world: World, object_id: str) -> None:
    world.store.run("DELETE FROM settings_objects WHERE object_id = ?", object_id)


def author(who: Principal) -> str:
    return who.token_id if who.kind == "api-token" else who.user


def note_change(world: World, value: dict[str, Any], *, at_us: int | None = None) -> None:
    """Write down the value from which the runtime will work once it has settled."""
    settled = settled_number(world)
    if settled is not None:
        world.store.run("DELETE FROM settings_outbound_history WHERE number < ?", settled)
    world.store.run(
        "INSERT INTO settings_outbound_history VALUES (NULL, ?, ?)",
        world.clock.now_us() if at_us is None else at_us,
        json.dumps(value),
    )


def settled_value(world: World) -> dict[str, Any]:
    """The value that the runtime works from now."""
    number = settled_number(world)
    row = world.store.one("SELECT value FROM settings_outbound_history WHERE number = ?", number)
    value: dict[str, Any] = json.loads(row["value"]) if row else schema.DEFAULT
    return value


def settled_number(world: World) -> int | None:
    """The newest change that has taken effect. One "from the future" (clock set back) has: it was made long ago."""
    now = world.clock.now_us()
    row = world.store.one(
        "SELECT max(number) AS number FROM settings_outbound_history WHERE at_us > ? OR at_us <= ?",
        now,
        now - round(world.options.allowlist_settles_s * MICROSECONDS),
    )
    number: int | None = row["number"] if row else None
    return number
