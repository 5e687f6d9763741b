"""Versions of a workflow: each write leaves one, to be read, exported, restored (facts: dynatrace-api 5.1)."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.store import Row
from ..kernel.world import World
from . import views
from .errors import not_found

SCHEMA = """
CREATE TABLE IF NOT EXISTS workflow_history (
    number INTEGER PRIMARY KEY AUTOINCREMENT, workflow TEXT NOT NULL, version INTEGER NOT NULL, title TEXT NOT NULL,
    definition TEXT NOT NULL, owner TEXT NOT NULL, actor TEXT NOT NULL,
    modified_by TEXT NOT NULL, modified_us INTEGER NOT NULL, UNIQUE (workflow, version));
"""
EXPORTED = (
    "tasks", "description", "ownerType", "isPrivate", "schemaVersion", "result", "type", "input",
    "hourlyExecutionLimit", "guide",
)  # fmt: skip
"""What an export has of a definition (SA)."""


def keep(world: World, row: Row) -> None:
    """Note the version that a write has just made; ``row`` is the workflow's."""
    world.store.run(
        "INSERT INTO workflow_history (workflow, version, title, definition, owner, actor, modified_by, modified_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row["id"], row["version"], row["title"], row["definition"], row["owner"], row["actor"], row["modified_by"],
        row["modified_us"],
    )  # fmt: skip


def forget(world: World, workflow: str) -> None:
    world.store.run("DELETE FROM workflow_history WHERE workflow = ?", workflow)


def all_of(world: World, workflow: str) -> list[Row]:
    """Newest first."""
    return world.store.all("SELECT * FROM workflow_history WHERE workflow = ? ORDER BY version DESC", workflow)


def get(world: World, workflow: str, version: str) -> Row:
    """The workflow's row as it was in a version. Raises 404."""
    row = None
    if version.isascii() and version.isdecimal() and len(version) < 10:
        row = world.store.one(
            "SELECT w.id, h.title, h.definition, h.owner, h.actor, h.version, w.created_by, w.created_us, "
            "h.modified_by, h.modified_us, NULL AS next_us, NULL AS skipped_us, w.counted_from "
            "FROM workflow_history h JOIN workflows w ON w.id = h.workflow WHERE h.workflow = ? AND h.version = ?",
            workflow, int(version),
        )  # fmt: skip
    if row is None:
        raise not_found("change history")
    return row


def writable(row: Row) -> dict[str, Any]:
    """A workflow's row as the body of a write."""
    return {"title": row["title"], **json.loads(row["definition"])}


def exported(row: Row) -> dict[str, Any]:
    """What the web interface's export makes a file of."""
    definition = json.loads(row["definition"])
    return {
        "id": row["id"],
        "title": row["title"],
        **{name: definition[name] for name in EXPORTED},
        "trigger": views.trigger(row, definition),
        "owner": row["owner"],
        "actor": row["actor"],
    }
