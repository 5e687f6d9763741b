"""What Davis keeps: how far each detector has been evaluated, its health, and the events with their problems."""

from __future__ import annotations

from typing import Any

from ..kernel.rows import RowChecks, an_object
from ..settings.analyzers import EVENT_TYPES

SCHEMA = """
CREATE TABLE IF NOT EXISTS davis_detectors (
    object_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, evaluated_us INTEGER NOT NULL, due_us INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('OK', 'ERROR')), message TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS davis_detector_status (
    number INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL, at_us INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('OK', 'ERROR')), message TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS davis_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, object_id TEXT NOT NULL,
    dimensions TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'CLOSED')), transition TEXT NOT NULL,
    start_us INTEGER NOT NULL, end_us INTEGER, updated_us INTEGER NOT NULL,
    properties TEXT NOT NULL, query TEXT NOT NULL, problem_id TEXT, display_id TEXT);
CREATE INDEX IF NOT EXISTS davis_events_status ON davis_events (status, object_id);
"""


def properties(entry: dict[str, Any], value: Any) -> None:
    an_object(entry, value)
    if not all(isinstance(each, str) for each in value.values()):
        raise ValueError("expected an object of strings")
    if missing := {"event.name", "event.description"} - value.keys():
        raise ValueError(f"without {', '.join(sorted(missing))}")
    if value.get("event.type") not in EVENT_TYPES:
        raise ValueError("of an event.type that is not known")


ROW_CHECKS = RowChecks(
    {("davis_events", "dimensions"): an_object, ("davis_events", "properties"): properties},
    clocked=("davis_detectors", "davis_detector_status", "davis_events"),
)
