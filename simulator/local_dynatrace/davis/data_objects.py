"""What DQL can fetch of Davis: its events, its problems, the health of detectors (facts: alerting 3, 6)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import chain

from ..automation import system_events
from ..kernel.data_objects import DataObject, Record
from ..kernel.world import World
from . import records

EVENTS_PERMISSION, SYSTEM_PERMISSION = "storage:events:read", "storage:system:read"


def register(world: World) -> None:
    world.data_objects["dt.davis.events"] = DataObject(events, EVENTS_PERMISSION, records.TIMES)
    world.data_objects["dt.davis.problems"] = DataObject(problems, EVENTS_PERMISSION, records.TIMES, records.DURATIONS)
    world.data_objects["dt.system.events"] = DataObject(
        lambda db, from_us, to_us: chain(system_events.read(db, from_us, to_us), health(db, from_us, to_us)),
        SYSTEM_PERMISSION, system_events.TIMES, system_events.DURATIONS,
    )  # fmt: skip


def events(db: sqlite3.Connection, from_us: int, to_us: int) -> Iterator[Record]:
    rows = db.execute("SELECT * FROM davis_events WHERE updated_us >= ? AND updated_us < ?", (from_us, to_us))
    return (records.event(row) for row in rows)


def problems(db: sqlite3.Connection, from_us: int, to_us: int) -> Iterator[Record]:
    sql = "SELECT * FROM davis_events WHERE problem_id IS NOT NULL AND updated_us >= ? AND updated_us < ?"
    return (records.problem(row) for row in db.execute(sql, (from_us, to_us)))


def health(db: sqlite3.Connection, from_us: int, to_us: int) -> Iterator[Record]:
    for row in db.execute("SELECT * FROM davis_detector_status WHERE at_us >= ? AND at_us < ?", (from_us, to_us)):
        yield {
            "timestamp": row["at_us"],
            "event.kind": "ANOMALY_DETECTOR_STATUS_EVENT",
            "davis.anomaly_detector.status": row["status"],
            "davis.anomaly_detector.message": row["message"],
            "dt.settings.object_id": row["object_id"],
            "client.internal_service_context": "dt.davis.anomaly-detector",
        }
