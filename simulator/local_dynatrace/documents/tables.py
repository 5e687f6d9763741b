"""Stored documents. A deleted one moves to the trash, where it keeps its id (UNVERIFIED) until it is destroyed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from ..kernel.rows import RowChecks, texts
from ..kernel.store import Row
from ..kernel.world import World

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, description TEXT, labels TEXT NOT NULL DEFAULT '[]',
    version INTEGER NOT NULL, owner TEXT NOT NULL, is_private INTEGER NOT NULL, is_reshareable INTEGER NOT NULL,
    content TEXT NOT NULL, content_type TEXT NOT NULL, content_base64 INTEGER NOT NULL,
    created_us INTEGER NOT NULL, created_by TEXT NOT NULL, modified_us INTEGER NOT NULL, modified_by TEXT NOT NULL,
    deleted_us INTEGER, deleted_by TEXT);
"""
ROW_CHECKS = RowChecks({("documents", "labels"): texts}, clocked=("documents",))


@dataclass(frozen=True)
class Document:
    id: str
    name: str
    type: str
    description: str | None
    labels: list[str]
    version: int
    owner: str
    is_private: bool
    is_reshareable: bool
    content: bytes
    content_type: str
    created_us: int
    created_by: str
    modified_us: int
    modified_by: str
    deleted_us: int | None
    deleted_by: str | None


def read(row: Row) -> Document:
    values = dict(row)
    text = values["content"]
    encoded = values.pop("content_base64")
    values["content"] = base64.b64decode(text) if encoded else text.encode("utf-8", "surrogatepass")
    values["labels"] = json.loads(values["labels"])
    for name in ("is_private", "is_reshareable"):
        values[name] = bool(values[name])
    return Document(**values)


def find(world: World, id: str) -> Document | None:
    """A document, in the trash or not."""
    row = world.store.one("SELECT * FROM documents WHERE id = ?", id)
    return read(row) if row else None


def every(world: World, *, trashed: bool = False) -> list[Document]:
    """All documents by id: those in use, or those in the trash."""
    rows = world.store.all("SELECT * FROM documents WHERE (deleted_us IS NOT NULL) = ? ORDER BY id", trashed)
    return [read(row) for row in rows]


def insert(world: World, id: str, user: str, values: dict[str, Any]) -> Document:
    """A new document, version 1, private unless ``values`` say otherwise."""
    now = world.clock.now_us()
    fields = {
        "description": None, "is_private": True, "is_reshareable": False, **values,
        "id": id, "version": 1, "owner": user, "created_us": now, "created_by": user,
    }  # fmt: skip
    return _write(world, "INSERT INTO", user, fields)


def update(world: World, document: Document, user: str, values: dict[str, Any]) -> Document:
    """The next version."""
    assignments = {**values, "version": document.version + 1}
    return _write(world, "UPDATE", user, {**assignments, "id": document.id})


def to_trash(world: World, id: str, user: str) -> None:
    world.store.run("UPDATE documents SET deleted_us = ?, deleted_by = ? WHERE id = ?", world.clock.now_us(), user, id)


def from_trash(world: World, id: str) -> None:
    world.store.run("UPDATE documents SET deleted_us = NULL, deleted_by = NULL WHERE id = ?", id)


def destroy(world: World, id: str) -> None:
    world.store.run("DELETE FROM documents WHERE id = ?", id)


def _write(world: World, how: str, user: str, values: dict[str, Any]) -> Document:
    columns = {**values, "modified_us": world.clock.now_us(), "modified_by": user}
    if "labels" in columns:
        columns["labels"] = json.dumps(columns["labels"])
    if "content" in columns:
        columns["content"], columns["content_base64"] = _as_text(columns["content"])
    if how == "UPDATE":
        id = columns.pop("id")
        world.store.run(
            f"UPDATE documents SET {', '.join(f'{c} = ?' for c in columns)} WHERE id = ?", *columns.values(), id
        )
    else:
        id = columns["id"]
        marks = ", ".join("?" * len(columns))
        world.store.run(f"INSERT INTO documents ({', '.join(columns)}) VALUES ({marks})", *columns.values())
    world.changed("documents", id)
    written = find(world, id)
    assert written is not None
    return written


def _as_text(content: bytes) -> tuple[str, bool]:
    """Text stays readable in dumps; anything else is kept in base64."""
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(content).decode(), True
