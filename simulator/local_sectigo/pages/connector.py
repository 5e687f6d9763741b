"""The connector page: does it run, how far behind is it, is anything missing, doubled or silent.

A connector is a workflow whose script writes the run ledger (``log.source`` of ledger.py), whoever deployed it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.kernel.store import Row
from local_dynatrace.kernel.world import World
from local_dynatrace.pages import workflows

from ..scm import stream
from . import delivery, health, ledger, runtime_values, timeline

PATH = "/_sim/ui/connector"
RANGES = {"30m": 1800, "2h": 7200, "6h": 21_600, "24h": 86_400, "7d": 604_800}
WORDS = {"30m": "30 minutes", "2h": "2 hours", "6h": "6 hours", "24h": "24 hours", "7d": "7 days"}
LISTED = 25


def query_of(source: str) -> str:
    """The query of the manual's last step, for any ``log.source``."""
    return f'fetch logs\n| filter log.source == "{source}"\n| sort timestamp desc\n| limit 100'


def all_of(world: World) -> list[Row]:
    """The workflows that are connectors, by title."""
    return world.store.all("SELECT * FROM workflows WHERE instr(definition, ?) > 0 ORDER BY title, id", ledger.SOURCE)


@dataclass(frozen=True)
class Look:
    """One look at a connector: its runs within a range. Times in microseconds."""

    span: str
    now_us: int
    scale: timeline.Scale
    interval_s: float | None
    runs: list[ledger.Run]
    before_us: int | None
    """How far the logs reached before the first of these runs."""
    covered_us: int | None
    """How far they reach now."""


def look(world: World, workflow: Row, chosen: str | None) -> Look:
    now = world.clock.now_us()
    span = chosen if chosen in RANGES else fitting(world, workflow["id"], now)
    scale = timeline.Scale(now - RANGES[span] * MICROSECONDS, now)
    runs = ledger.runs(world, workflow["id"], scale.from_us)
    before_us = ledger.last_covered_us(world, workflow["id"], scale.from_us)
    covered_us = max((run.covered_us for run in runs if run.covered_us is not None), default=before_us)
    return Look(span, now, scale, interval(json.loads(workflow["definition"])), runs, before_us, covered_us)


def strip(world: World) -> dict[str, Any] | None:
    """The little that other pages show of the first connector; None without any."""
    found = all_of(world)
    return in_short(world, found[0], look(world, found[0], None)) if found else None


def in_short(world: World, workflow: Row, seen: Look) -> dict[str, Any]:
    shown = workflows.row(world, workflow)
    return {
        **shown,
        "href": f"{PATH}?workflow={workflow['id']}",
        "workflow_href": shown["href"],
        "verdict": health.verdict(shown, seen.runs, seen.covered_us, seen.now_us, seen.interval_s),
        "labels": seen.scale.labels(),
        "silences": timeline.silences(seen.runs, seen.scale, seen.interval_s, workflow["created_us"]),
        "marks": timeline.marks(seen.runs, seen.scale, seen.interval_s),
    }


def view(world: World, workflow: Row, chosen: str | None) -> dict[str, Any]:
    """Everything about one connector."""
    stream.materialise(world)
    seen = look(world, workflow, chosen)
    short = in_short(world, workflow, seen)
    runs, scale, now = seen.runs, seen.scale, seen.now_us
    found = delivery.compare(world, scale.from_us, first_window(world, workflow["id"]), seen.covered_us)
    values = runtime_values.of_workflow(world, workflow["definition"])
    return {
        **short,
        "range": seen.span,
        "ranges": [(key, WORDS[key], f"{short['href']}&range={key}") for key in RANGES],
        "figures": health.figures(short, runs, found, short["silences"], seen.covered_us, now),
        "alive": any(run.alive for run in runs),
        "lag": timeline.lag(runs, scale, seen.before_us),
        "work": timeline.work(runs, scale, seen.interval_s),
        "events": timeline.events(found, scale),
        "truncated": found.truncated,
        "runs": runs[::-1][:LISTED],
        "more_runs": max(0, len(runs) - LISTED),
        "lock": runtime_values.lock(values["lock"].text, now) if "lock" in values else None,
        "checkpoint": runtime_values.checkpoint(values["checkpoint"].text) if "checkpoint" in values else None,
        "runtime": {kind: values.get(kind) for kind in runtime_values.SHAPES},
    }


def fitting(world: World, workflow: str, now_us: int) -> str:
    """The shortest range that holds the first run, at most a day."""
    row = world.store.one("SELECT min(started_us) AS first FROM executions WHERE workflow = ?", workflow)
    age_s = (now_us - row["first"]) / MICROSECONDS if row and row["first"] is not None else 0
    return next((key for key, seconds in RANGES.items() if age_s < 0.9 * seconds), "24h") if age_s < 86_400 else "24h"


def interval(definition: dict[str, Any]) -> float | None:
    """Seconds between scheduled runs; None where the schedule is off or has no even interval."""
    found: dict[str, Any] = (definition.get("trigger") or {}).get("schedule") or {}
    trigger = found.get("trigger") or {}
    if not found.get("isActive") or trigger.get("type") != "interval":
        return None
    return 60.0 * int(trigger["intervalMinutes"])


def first_window(world: World, workflow: str) -> int | None:
    """Where the connector began to read: what happened earlier is none of its business."""
    row = world.store.one(
        "SELECT json_extract(attributes, '$.\"connector.windowFrom\"') AS at FROM logs WHERE source = ?"
        " AND json_extract(attributes, '$.\"connector.workflow\"') = ?"
        " AND json_extract(attributes, '$.\"connector.windowFrom\"') IS NOT NULL ORDER BY timestamp_us, id LIMIT 1",
        ledger.SOURCE, workflow,
    )  # fmt: skip
    return ledger.moment_us(row["at"]) if row else None
