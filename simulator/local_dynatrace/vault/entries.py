"""The stored form of a credential: metadata in clear, secret sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..kernel.rows import RowChecks, objects, texts
from ..kernel.store import Row
from ..kernel.world import World

SCHEMA = """
CREATE TABLE IF NOT EXISTS credentials (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL,
    description TEXT NOT NULL, owner TEXT NOT NULL, owner_only INTEGER NOT NULL, contextless INTEGER NOT NULL,
    scopes TEXT NOT NULL, allowed TEXT NOT NULL, sealed TEXT NOT NULL,
    created_us INTEGER NOT NULL, modified_us INTEGER NOT NULL);
"""
ROW_CHECKS = RowChecks({("credentials", "scopes"): texts, ("credentials", "allowed"): objects})


@dataclass(frozen=True)
class Content:
    """What a write sets; a PUT replaces all of it, so what it leaves out falls back to these defaults."""

    name: str
    type: str
    scopes: list[str]
    secret: dict[str, str] = field(repr=False)
    """``{"token": …}`` or ``{"user": …, "password": …}``."""
    description: str = ""
    owner_only: bool = False
    """The API's default is UNVERIFIED (the page's is true)."""
    contextless: bool = False
    allowed: list[dict[str, str]] = field(default_factory=list)
    """``allowedEntities``: ``{"type": "USER" | "APPLICATION", "id": …}``."""


@dataclass(frozen=True)
class Entry:
    number: int
    id: str
    owner: str
    """The user who wrote it last (facts: dynatrace-api 3)."""
    created_us: int
    content: Content


def read(row: Row, secret: dict[str, str]) -> Entry:
    content = Content(
        name=row["name"],
        type=row["type"],
        scopes=json.loads(row["scopes"]),
        secret=secret,
        description=row["description"],
        owner_only=bool(row["owner_only"]),
        contextless=bool(row["contextless"]),
        allowed=json.loads(row["allowed"]),
    )
    return Entry(row["number"], row["id"], row["owner"], row["created_us"], content)


def find(world: World, id: str, *, unsealed: bool = False) -> Entry | None:
    """One entry; its secret only if asked for."""
    row = world.store.one("SELECT * FROM credentials WHERE id = ?", id)
    if row is None:
        return None
    return read(row, json.loads(world.store.unseal(row["sealed"])) if unsealed else {})


def after(world: World, number: int) -> list[Entry]:
    """All entries behind a number, oldest first, without secrets."""
    rows = world.store.all("SELECT * FROM credentials WHERE number > ? ORDER BY number", number)
    return [read(row, {}) for row in rows]


def insert(world: World, id: str, owner: str, content: Content) -> None:
    now = world.clock.now_us()
    world.store.run(
        "INSERT INTO credentials VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id, *columns(world, owner, content), now, now,
    )  # fmt: skip


def update(world: World, id: str, owner: str, content: Content) -> None:
    world.store.run(
        "UPDATE credentials SET name = ?, type = ?, description = ?, owner = ?, owner_only = ?, contextless = ?, "
        "scopes = ?, allowed = ?, sealed = ?, modified_us = ? WHERE id = ?",
        *columns(world, owner, content), world.clock.now_us(), id,
    )  # fmt: skip


def columns(world: World, owner: str, content: Content) -> tuple[Any, ...]:
    return (
        content.name,
        content.type,
        content.description,
        owner,
        content.owner_only,
        content.contextless,
        json.dumps(content.scopes),
        json.dumps(content.allowed),
        world.store.seal(json.dumps(content.secret)),
    )
