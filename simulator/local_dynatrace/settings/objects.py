"""The stored settings objects."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ..kernel.identity import Principal
from ..kernel.rows import RowChecks
from ..kernel.store import Row
from ..kernel.world import World
from . import constraints
from .schema import SCHEMAS, SCOPE, Schema

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings_objects (
    number INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL UNIQUE, schema_id TEXT NOT NULL,
    external_id TEXT, value TEXT NOT NULL, revision INTEGER NOT NULL,
    created_us INTEGER NOT NULL, created_by TEXT NOT NULL,
    modified_us INTEGER NOT NULL, modified_by TEXT NOT NULL, author TEXT NOT NULL, UNIQUE (schema_id, external_id));
"""


def a_valid_value(entry: dict[str, Any], value: Any) -> None:
    schema = SCHEMAS.get(str(entry.get("schema_id")))
    if schema is None:
        raise ValueError("of a schema that is not known")
    if found := constraints.violations(schema, value):
        raise ValueError(f"{found[0]['path']}: {found[0]['message']}")


ROW_CHECKS = RowChecks({("settings_objects", "value"): a_valid_value}, clocked=("settings_objects",))


@dataclass(frozen=True)
class SettingsObject:
    number: int
    """In the order of their creation."""
    object_id: str
    schema_id: str
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
    def schema(self) -> Schema:
        return SCHEMAS[self.schema_id]

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


def by_external_id(world: World, schema_id: str, external_id: str) -> SettingsObject | None:
    row = world.store.one(
        "SELECT * FROM settings_objects WHERE schema_id = ? AND external_id = ?", schema_id, external_id
    )
    return read(row) if row else None


def of_schema(world: World, schema_id: str) -> list[SettingsObject]:
    rows = world.store.all("SELECT * FROM settings_objects WHERE schema_id = ? ORDER BY number", schema_id)
    return [read(row) for row in rows]


def the_one(world: World, schema_id: str) -> SettingsObject | None:
    """The object of a schema that allows a single one."""
    return next(iter(of_schema(world, schema_id)), None)


def insert(world: World, schema_id: str, value: dict[str, Any], who: Principal, external_id: str | None) -> str:
    name = f"{schema_id}\0{SCOPE}\0{world.ids.uuid()}"
    object_id = base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
    now = world.clock.now_us()
    world.store.run(
        "INSERT INTO settings_objects VALUES (NULL, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
        object_id, schema_id, external_id, json.dumps(value), now, who.user, now, who.user, author(who),
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
