"""Records of events and problems, as DQL and workflows see them (facts: alerting 3)."""

from __future__ import annotations

import json
from typing import Any

from ..kernel import rfc3339
from ..kernel.store import Row
from ..settings.schema import DETECTORS

CATEGORIES = {
    "AVAILABILITY_EVENT": "AVAILABILITY",
    "ERROR_EVENT": "ERROR",
    "PERFORMANCE_EVENT": "SLOWDOWN",
    "RESOURCE_CONTENTION_EVENT": "RESOURCE_CONTENTION",
    "CUSTOM_ALERT": "CUSTOM_ALERT",
    "CUSTOM_INFO": "INFO",
}
"""``event.category`` by ``event.type`` [D]."""
INFORMATIONAL = "CUSTOM_INFO"
"""Opens no problem."""
TIMES = frozenset({"timestamp", "event.start", "event.end"})
"""In microseconds here."""
DURATIONS = frozenset({"resolved_problem_duration"})
MAPPED = ("dt.security_context",)
"""Properties of an event that its problem has by itself; others need a mapping in the settings (DFA)."""
PROVIDER = "metric_events"


def event(row: Row) -> dict[str, Any]:
    properties: dict[str, str] = json.loads(row["properties"])
    return {
        **properties,
        **shared(row, properties),
        "event.id": row["id"],
        "event.kind": "DAVIS_EVENT",
        "event.provider": PROVIDER,
        "event.status_transition": "RECOVERED" if row["status"] == "CLOSED" else row["transition"],
        "dt.query": row["query"],
        "dt.settings.object_id": row["object_id"],
        "dt.settings.schema_id": DETECTORS,
    }


def problem(row: Row) -> dict[str, Any]:
    """Of an event that has one."""
    properties: dict[str, str] = json.loads(row["properties"])
    return {
        **{name: properties[name] for name in MAPPED if name in properties},
        **shared(row, properties),
        "event.id": row["problem_id"],
        "event.kind": "DAVIS_PROBLEM",
        "event.status_transition": row["transition"],
        "display_id": row["display_id"],
        "dt.davis.event_ids": [row["id"]],
        "dt.davis.is_duplicate": False,
        "dt.davis.is_frequent_event": False,
        "dt.davis.mute.status": "NOT_MUTED",
        "dt.analysis.ready": True,
        "maintenance.is_under_maintenance": False,
        "affected_entity_ids": [],
        "entity_tags": [],
        "resolved_problem_duration": None if row["end_us"] is None else row["end_us"] - row["start_us"],
    }


def shared(row: Row, properties: dict[str, str]) -> dict[str, Any]:
    return {
        "timestamp": row["updated_us"],
        "event.name": properties["event.name"],
        "event.description": properties["event.description"],
        "event.category": CATEGORIES[properties["event.type"]],
        "event.status": row["status"],
        "event.start": row["start_us"],
        "event.end": row["end_us"],
    }


def wire(record: dict[str, Any]) -> dict[str, Any]:
    """A record as JSON: times in RFC 3339, durations in nanoseconds as text, no nulls."""
    return {
        name: rfc3339.from_ns(value * 1000) if name in TIMES else str(value * 1000) if name in DURATIONS else value
        for name, value in record.items()
        if value is not None
    }
