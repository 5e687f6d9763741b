"""Stored log records, as Grail's ``fetch logs`` finds them."""

from __future__ import annotations

from typing import NamedTuple

from ..kernel.rows import RowChecks, an_object
from ..kernel.world import World

SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (
    id INTEGER PRIMARY KEY, timestamp_us INTEGER NOT NULL, ingested_us INTEGER NOT NULL, visible_us INTEGER NOT NULL,
    source TEXT, loglevel TEXT NOT NULL, status TEXT NOT NULL, content TEXT NOT NULL, attributes TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS logs_by_source ON logs (source, timestamp_us);
CREATE INDEX IF NOT EXISTS logs_by_time ON logs (timestamp_us);
"""
ROW_CHECKS = RowChecks({("logs", "attributes"): an_object})


class LogRow(NamedTuple):
    """One row, ``id`` apart."""

    timestamp_us: int
    ingested_us: int
    visible_us: int
    """From when queries find it (option ``logs_visible_after_s``)."""
    source: str | None
    """``log.source`` where it is text."""
    loglevel: str
    status: str
    content: str
    attributes: str
    """JSON of everything else, ``log.source`` included."""


def insert(world: World, rows: list[LogRow]) -> None:
    world.store.db.executemany("INSERT INTO logs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
