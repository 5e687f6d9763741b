"""The audit records in the store, and their pages: ascending by time, then by number (order of arrival).

A record has two times: its own, by which it is found, and the moment from which it can be seen. A record that becomes
visible late is behind the cursors that passed it, as in every real audit trail.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local_dynatrace.kernel import rfc3339
from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.kernel.world import World

from .. import options
from . import wire
from .cursor import Cursor

SCHEMA = """
CREATE TABLE IF NOT EXISTS scm_records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, visible_us INTEGER NOT NULL, wire TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS scm_records_by_time ON scm_records (at_us, number, visible_us);
"""


@dataclass(frozen=True)
class Page:
    body: bytes
    """A JSON array, as it goes over the wire."""
    count: int
    next: Cursor | None


def add(world: World, rows: Iterable[tuple[int, int, str]]) -> None:
    """Store (time, visible from, JSON text) rows."""
    world.store.db.executemany("INSERT INTO scm_records (at_us, visible_us, wire) VALUES (?, ?, ?)", rows)


def inject(world: World, records: list[dict[str, Any]], visible_after_s: float = 0) -> int:
    """Store records exactly as given, malformed ones included; returns how many.

    One without a readable ``timestamp`` has its place at the present time.
    """
    now = world.clock.now_us()
    visible = now + round(visible_after_s * MICROSECONDS)
    with world.store.transaction():
        add(world, [(_time_us(record, now), visible, wire.text(record)) for record in records])
    return len(records)


def issued(
    world: World, from_us: int | None = None, to_us: int | None = None, *, visible_only: bool = False
) -> list[dict[str, Any]]:
    """What SCM holds from (inclusive) to (inclusive): ``number``, ``at_us``, ``visible_us`` and the ``record``."""
    rows = world.store.all(
        "SELECT * FROM scm_records WHERE at_us BETWEEN ? AND ? AND visible_us <= ? ORDER BY at_us, number",
        -(2**62) if from_us is None else from_us,
        2**62 if to_us is None else to_us,
        world.clock.now_us() if visible_only else 2**62,
    )
    return [
        {
            "number": row["number"],
            "at_us": row["at_us"],
            "visible_us": row["visible_us"],
            "record": json.loads(row["wire"]),
        }
        for row in rows
    ]


def holds(world: World, cursor: Cursor) -> bool:
    """Whether the record of a cursor (still) exists."""
    row = world.store.one("SELECT at_us FROM scm_records WHERE number = ?", cursor.number)
    return row is not None and row["at_us"] == cursor.at_us


def page(world: World, after: Cursor, to_us: int) -> Page:
    """The next visible records behind a cursor, up to and including ``to_us`` [D: inclusive]."""
    size = max(1, options.of(world).scm_page_size)
    # The first condition alone drives the index; the second one cuts off the ties already delivered.
    rows = world.store.all(
        "SELECT number, at_us, wire FROM scm_records WHERE at_us >= ? AND (at_us, number) > (?, ?)"
        " AND at_us <= ? AND visible_us <= ? ORDER BY at_us, number LIMIT ?",
        after.at_us, after.at_us, after.number, to_us, world.clock.now_us(), size + 1,
    )  # fmt: skip
    shown, more = rows[:size], len(rows) > size
    body = ("[" + ",".join(row["wire"] for row in shown) + "]").encode()
    follow = bool(shown) and (more or options.of(world).scm_last_page_token)
    return Page(body, len(shown), Cursor(shown[-1]["at_us"], shown[-1]["number"]) if follow else None)


def _time_us(record: dict[str, Any], default: int) -> int:
    try:
        return rfc3339.parse_ns(record["timestamp"]) // 1000
    except (KeyError, TypeError, ValueError):
        return default
