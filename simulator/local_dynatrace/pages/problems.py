"""What pages show of problems and of the detectors that find them."""

from __future__ import annotations

import json
from typing import Any

from ..davis import records, series
from ..davis.series import MINUTE_US, FailedError, Window
from ..kernel.clock import MICROSECONDS
from ..kernel.store import Row
from ..kernel.world import World
from ..settings import analyzers, objects
from ..settings.analyzers import StaticThreshold
from ..settings.objects import SettingsObject
from ..settings.schema import DETECTORS
from . import charts, mails
from .executions import EXECUTIONS, PROBLEMS, name_of

BEFORE_US, LONGEST_US = 30 * MINUTE_US, 600 * MINUTE_US
"""What the chart of a problem shows at most: this much before it, and in all."""
MOST = 200
TONES = {"ACTIVE": "bad", "CLOSED": "good"}


def rows(world: World) -> list[dict[str, Any]]:
    """Problems, active ones first, then the newest."""
    found = world.store.all(
        "SELECT * FROM davis_events WHERE problem_id IS NOT NULL ORDER BY status, number DESC LIMIT ?", MOST
    )
    return [row(world, each) for each in found]


def row(world: World, event: Row) -> dict[str, Any]:
    properties = json.loads(event["properties"])
    end = world.clock.now_us() if event["end_us"] is None else event["end_us"]
    return {
        "id": event["problem_id"],
        "href": f"{PROBLEMS}/problem/{event['problem_id']}",
        "display_id": event["display_id"],
        "name": properties["event.name"],
        "description": properties["event.description"],
        "category": records.CATEGORIES[properties["event.type"]].replace("_", " ").capitalize(),
        "status": event["status"].capitalize(),
        "tone": TONES[event["status"]],
        "start": event["start_us"],
        "end": event["end_us"],
        "seconds": (end - event["start_us"]) / MICROSECONDS,
        "dimensions": sorted(json.loads(event["dimensions"]).items()),
    }


def active(world: World) -> int:
    found = world.store.one("SELECT count(*) AS n FROM davis_events WHERE problem_id IS NOT NULL AND status = 'ACTIVE'")
    return int(found["n"]) if found else 0


def detectors(world: World) -> list[dict[str, Any]]:
    """Every anomaly detector with its rule in words and its health."""
    states = {row["object_id"]: row for row in world.store.all("SELECT * FROM davis_detectors")}
    found = objects.of_schema(world, DETECTORS)
    return sorted((detector(world, each, states.get(each.object_id)) for each in found), key=lambda each: each["title"])


def detector(world: World, found: SettingsObject, state: Row | None) -> dict[str, Any]:
    rule, value = analyzers.read(found.value["analyzer"]), found.value
    health, tone = ("Healthy", "good") if state and state["status"] == "OK" else ("Fails", "bad")
    if not value["enabled"]:
        health, tone = "Off", ""
    elif state is None:
        health, tone = "Not evaluated yet", ""
    return {
        "id": found.object_id,
        "title": value["title"],
        "description": value["description"],
        "rule": words(rule),
        "query": rule.query,
        "actor": name_of(world, value["executionSettings"].get("actor") or found.modified_by),
        "health": health,
        "tone": tone,
        "message": state["message"] if state and value["enabled"] else "",
        "evaluated": state["evaluated_us"] if state else None,
    }


def words(rule: StaticThreshold) -> str:
    """``Below 1 in 30 of 30 minutes; closes after 1 normal``."""
    missing = ", or no data," if rule.on_missing_data else ""
    alerts = f"{rule.condition.capitalize()} {rule.threshold:g}{missing} in {rule.violating} of {rule.window} minutes"
    return f"{alerts}; closes after {rule.dealerting} normal"


async def one(world: World, id: str) -> dict[str, Any] | None:
    """A problem with the samples around it and who was told."""
    event = world.store.one("SELECT * FROM davis_events WHERE problem_id = ?", id)
    if event is None:
        return None
    found = objects.find(world, event["object_id"])
    chart, problem = await drawn(world, event, found)
    return {
        **row(world, event),
        "event_id": event["id"],
        "detector": found.value["title"] if found else None,
        "rule": words(analyzers.read(found.value["analyzer"])) if found else None,
        "query": event["query"],
        "properties": sorted(json.loads(event["properties"]).items()),
        "chart": chart,
        "chart_problem": problem,
        "executions": started(world, id),
        "messages": [each for each in mails.rows(world) if each["problem"] and each["problem"][1].endswith(f"/{id}")],
    }


async def drawn(world: World, event: Row, found: SettingsObject | None) -> tuple[dict[str, Any] | None, str]:
    """The samples from before the problem to its end, with the threshold; or why there are none."""
    if found is None:
        return None, "The detector has been deleted."
    now = world.clock.now_us() // MINUTE_US * MINUTE_US
    start = event["start_us"] // MINUTE_US * MINUTE_US - BEFORE_US
    end = min(now, start + LONGEST_US, now if event["end_us"] is None else event["end_us"] + BEFORE_US)
    actor = found.value["executionSettings"].get("actor") or found.modified_by
    if end <= start:  # the clock has been set back
        return None, "The problem is in the future."
    try:
        (over,) = await series.read(world, event["query"], str(actor), [Window(start, end)])
    except FailedError as error:
        return None, str(error)
    values = over.series.get(event["dimensions"]) or [None] * over.window.minutes
    threshold = analyzers.read(found.value["analyzer"]).threshold
    lines = [charts.Series("samples", values), charts.Series("threshold", [threshold] * len(values))]
    return charts.chart(lines, start, MINUTE_US, "line"), ""


def started(world: World, problem: str) -> list[dict[str, Any]]:
    """The executions that a problem has started."""
    found = world.store.all("SELECT * FROM executions WHERE trigger_type = 'Event' ORDER BY number")
    return [
        {"href": f"{EXECUTIONS}/{each['id']}", "title": each["title"], "state": each["state"], "at": each["started_us"]}
        for each in found
        if (json.loads(each["params"]).get("event") or {}).get("event.id") == problem
    ]
