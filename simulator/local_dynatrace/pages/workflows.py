"""What pages show of workflows."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.store import Row
from ..kernel.world import World
from . import executions
from .executions import WORKFLOWS, name_of


def rows(world: World) -> list[dict[str, Any]]:
    return [row(world, each) for each in world.store.all("SELECT * FROM workflows ORDER BY title, id")]


def row(world: World, workflow: Row) -> dict[str, Any]:
    definition = json.loads(workflow["definition"])
    last = executions.rows(world, workflow["id"], limit=1)
    return {
        "id": workflow["id"],
        "href": f"{WORKFLOWS}/{workflow['id']}",
        "title": workflow["title"],
        "description": definition.get("description") or "",
        "deployed": bool(definition.get("isDeployed", True)),
        "private": bool(definition.get("isPrivate", False)),
        "schedule": schedule(definition),
        "next": workflow["next_us"],
        "owner": name_of(world, workflow["owner"]),
        "actor": name_of(world, workflow["actor"]),
        "version": workflow["version"],
        "modified": workflow["modified_us"],
        "modified_by": name_of(world, workflow["modified_by"]),
        "last": last[0] if last else None,
        "hourly_limit": definition.get("hourlyExecutionLimit"),
    }


def one(world: World, id: str) -> dict[str, Any] | None:
    """A workflow with its tasks and its newest executions."""
    workflow = world.store.one("SELECT * FROM workflows WHERE id = ?", id)
    if workflow is None:
        return None
    definition = json.loads(workflow["definition"])
    return {
        **row(world, workflow),
        "tasks": [task(name, each) for name, each in (definition.get("tasks") or {}).items()],
        "executions": executions.rows(world, id),
    }


def task(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    given = definition.get("input") or {}
    script = given.get("script")
    return {
        "name": name,
        "description": definition.get("description") or "",
        "action": definition.get("action") or "",
        "timeout": definition.get("timeout"),
        "script": script.split("\n") if isinstance(script, str) else None,
        "input": {name: value for name, value in given.items() if name != "script"},
    }


def schedule(definition: dict[str, Any]) -> str:
    """What starts it, in words."""
    if on_event := (definition.get("trigger") or {}).get("eventTrigger"):
        return on_problem(on_event)
    found: dict[str, Any] = (definition.get("trigger") or {}).get("schedule") or {}
    trigger = found.get("trigger") or {}
    match trigger.get("type"):
        case "interval":
            minutes = int(trigger["intervalMinutes"])
            words = "Every minute" if minutes == 1 else f"Every {minutes} minutes"
        case "time":
            words = f"Daily at {trigger['time']} {found['timezone']}"
        case "cron":
            words = f"Cron {trigger['cron']} {found['timezone']}"
        case "once":
            words = f"Once at {trigger['at']} {found['timezone']}"
        case _:
            return "On demand"
    return words if found.get("isActive") else f"{words} (switched off)"


def on_problem(trigger: dict[str, Any]) -> str:
    wanted = trigger["triggerConfiguration"]["value"]
    state = wanted.get("triggerOn") or ("open-and-close" if wanted.get("onProblemClose") else "open")
    words = {"open": "opens", "close": "closes", "open-and-close": "opens or closes"}[state]
    return f"When a problem {words}{'' if trigger['isActive'] else ' (switched off)'}"
