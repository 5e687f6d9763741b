"""The connector page: does it run, how far behind is it, is anything missing, doubled or silent.

A connector is a workflow whose script writes the run ledger (``log.source`` of ledger.py), whoever deployed it.
"""

from __future__ import annotations

import json
from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.store import Row
from ..kernel.world import World
from ..scm import rules as scm
from . import delivery, ledger, runtime_values, timeline, workflows
from .ledger import Run
from .render import duration, moment

PATH = "/_sim/ui/connector"
RANGES = {"30m": 1800, "2h": 7200, "6h": 21_600, "24h": 86_400, "7d": 604_800}
WORDS = {"30m": "30 minutes", "2h": "2 hours", "6h": "6 hours", "24h": "24 hours", "7d": "7 days"}
LISTED = 25
MEANING = {
    "good": "Healthy", "busy": "Running", "warn": "Behind", "bad": "Failing",
}  # fmt: skip


def all_of(world: World) -> list[Row]:
    """The workflows that are connectors, by title."""
    return world.store.all(
        "SELECT * FROM workflows WHERE instr(definition, ?) > 0 ORDER BY title, id", ledger.SOURCE
    )


def is_one(workflow: Row) -> bool:
    return ledger.SOURCE in workflow["definition"]


def view(world: World, workflow: Row, chosen: str | None) -> dict[str, Any]:
    scm.materialise(world)
    now = world.clock.now_us()
    span = chosen if chosen in RANGES else fitting(world, workflow["id"], now)
    scale = timeline.Scale(now - RANGES[span] * MICROSECONDS, now)
    definition = json.loads(workflow["definition"])
    interval_s = interval(definition)
    runs = ledger.runs(world, workflow["id"], scale.from_us)
    before_us = ledger.last_covered_us(world, workflow["id"], scale.from_us)
    covered_us = max((run.covered_us for run in runs if run.covered_us is not None), default=before_us)
    found = delivery.compare(world, scale.from_us, first_window(world, workflow["id"]), covered_us)
    silences = timeline.silences(runs, scale, interval_s, workflow["created_us"])
    shown = workflows.row(world, workflow)
    values = runtime_values.of_workflow(world, workflow["definition"])
    return {
        **shown,
        "href": f"{PATH}?workflow={workflow['id']}",
        "workflow_href": shown["href"],
        "range": span,
        "ranges": [(key, WORDS[key], f"{PATH}?workflow={workflow['id']}&range={key}") for key in RANGES],
        "verdict": verdict(shown, runs, covered_us, now, interval_s),
        "figures": figures(shown, runs, found, silences, covered_us, now, interval_s),
        "alive": any(run.alive for run in runs),
        "labels": scale.labels(),
        "silences": silences,
        "lag": timeline.lag(runs, scale, before_us),
        "work": timeline.work(runs, scale, interval_s),
        "marks": timeline.marks(runs, scale, interval_s),
        "events": timeline.events(found, scale),
        "truncated": found.truncated,
        "runs": runs[::-1][:LISTED],
        "more_runs": max(0, len(runs) - LISTED),
        "lock": runtime_values.lock(values["lock"].text, now) if "lock" in values else None,
        "checkpoint": runtime_values.checkpoint(values["checkpoint"].text) if "checkpoint" in values else None,
        "values": values,
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


def verdict(
    workflow: dict[str, Any], runs: list[Run], covered_us: int | None, now_us: int, interval_s: float | None
) -> tuple[str, str, str]:
    """How it is drawn, a word, and a sentence that says why."""
    over = [run for run in runs if not run.alive and run.kind != "skipped"]
    alive = [run for run in runs if run.alive]
    lag_s = None if covered_us is None else (now_us - covered_us) / MICROSECONDS
    reach = "" if covered_us is None else f"Everything up to {moment(covered_us)} is in the logs"
    failed = trailing_failures(over)
    if failed:
        what = "The last run failed" if failed == 1 else f"The last {failed} runs failed"
        return "bad", "Failing", f"{what}: {over[-1].line or over[-1].word.lower()}"
    if alive:
        return "busy", "Running", f"A run has been at work for {duration((now_us - alive[-1].started_us) / 1e6)}."
    silent_s = (now_us - runs[-1].started_us) / MICROSECONDS if runs else None
    if interval_s is not None and silent_s is not None and silent_s > 3 * interval_s:
        return "bad", "Silent", f"No run has begun for {duration(silent_s)}, though one is due every {duration(interval_s)}."
    if not workflow["deployed"] or interval_s is None:
        return "warn", "Paused", f"{reach}. Nothing starts it by itself." if reach else "Nothing starts it by itself."
    if lag_s is None:
        return "warn", "Waiting", "It has not reported a run yet."
    if over and over[-1].said == "more waiting":
        return "warn", "Catching up", f"{reach}; more is waiting."
    if lag_s > 3 * interval_s + 120:
        return "warn", "Behind", f"{reach}, which is {duration(lag_s)} ago."
    return "good", "Healthy", f"{reach}."


def trailing_failures(over: list[Run]) -> int:
    return next((number for number, run in enumerate(reversed(over)) if run.kind != "bad"), len(over))


def figures(
    workflow: dict[str, Any],
    runs: list[Run],
    found: delivery.Delivery,
    silences: list[dict[str, Any]],
    covered_us: int | None,
    now_us: int,
    interval_s: float | None,
) -> list[tuple[str, str, str, str]]:
    """Name, value, a line below it, and how it is drawn."""
    there = len(found.delivered) + len(found.missing) + len(found.late) + len(found.waiting)
    bad = sum(run.kind == "bad" for run in runs)
    late = f"{len(found.late)} more came too late" if found.late else "none is lost" if not found.missing else "look below"
    longest = max((each["seconds"] for each in silences), default=None)
    due_s = (workflow["next"] - now_us) / MICROSECONDS if workflow["next"] else None
    return [
        ("Lag", duration((now_us - covered_us) / MICROSECONDS) if covered_us else "–",
         f"complete to {moment(covered_us)[11:]}" if covered_us else "no run has reported", ""),
        ("Delivered", f"{len(found.delivered)}", f"of {there} at SCM, {len(found.waiting)} waiting", ""),
        ("Missing", f"{len(found.missing)}", late, "bad" if found.missing else ""),
        ("Duplicates", f"{len(found.extra)}", "dropped by dedup event.id", "warn" if found.extra else ""),
        ("Silence", duration(longest) if longest else "None",
         f"next run in {duration(max(0.0, due_s))}" if due_s is not None else "no run is due", "bad" if longest else ""),
        ("Runs", f"{len(runs)}", f"{bad} failed" if bad else "none failed", "bad" if bad else ""),
    ]  # fmt: skip
