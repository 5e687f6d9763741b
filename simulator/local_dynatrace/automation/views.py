"""Wire forms of workflows, executions, tasks and actions (facts: dynatrace-api 5.2, 5.4; SA)."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.clock import MICROSECONDS, iso
from ..kernel.store import Row
from ..kernel.world import World
from . import throttle


def workflow(world: World, row: Row) -> dict[str, Any]:
    definition = json.loads(row["definition"])
    limit = throttle.event(world, row)
    last = world.store.one("SELECT * FROM executions WHERE workflow = ? ORDER BY number DESC LIMIT 1", row["id"])
    return {
        "id": row["id"],
        "title": row["title"],
        **definition,
        "trigger": trigger(row, definition),
        "triggerType": trigger_type(definition),
        "owner": row["owner"],
        "actor": row["actor"],
        "version": row["version"],
        "modificationInfo": {
            "createdBy": row["created_by"],
            "createdTime": iso(row["created_us"]),
            "lastModifiedBy": row["modified_by"],
            "lastModifiedTime": iso(row["modified_us"]),
        },
        "lastExecution": execution(world, last) if last else None,
        "throttle": {"isLimitHit": limit is not None, "limitEvents": [limit] if limit else []},
        "workflowLimit": {"isActive": False},
        "unacknowledgedSkippedScheduleAt": when(row["skipped_us"]),
    }


def trigger(row: Row, definition: dict[str, Any]) -> dict[str, Any]:
    shown = dict(definition["trigger"])
    if schedule := shown.get("schedule"):
        shown["schedule"] = {**schedule, "isFaulty": False, "nextExecution": when(row["next_us"]), "inputs": {}}
    return shown


def trigger_type(definition: dict[str, Any]) -> str:
    names = {"schedule": "Schedule", "eventTrigger": "Event"}
    return next((names[name] for name in names if definition["trigger"].get(name)), "Manual")


def execution(world: World, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "workflow": row["workflow"],
        "title": row["title"],
        "state": row["state"],
        "stateInfo": row["state_info"],
        "startedAt": iso(row["started_us"]),
        "endedAt": when(row["ended_us"]),
        "runtime": runtime(world, row),
        "triggerType": row["trigger_type"],
        "trigger": None,
        "schedule": None,
        "eventTrigger": None,
        "user": row["user"],
        "actor": row["actor"],
        "input": json.loads(row["input"]),
        "params": json.loads(row["params"]),
        "result": json.loads(row["result"] or "null"),
        "workflowVersion": row["workflow_version"],
        "workflowType": row["workflow_type"],
        "isDraft": bool(row["is_draft"]),
        "parentExecution": None,
        "parentTaskName": None,
    }


def task(world: World, row: Row) -> dict[str, Any]:
    definition = json.loads(row["definition"])
    return {
        "id": row["id"],
        "execution": row["execution"],
        "name": row["name"],
        "state": row["state"],
        "stateInfo": row["state_info"],
        "startedAt": when(row["started_us"]),
        "endedAt": when(row["ended_us"]),
        "runtime": runtime(world, row),
        "action": definition["action"],
        "description": definition["description"],
        "input": definition["input"],
        "result": json.loads(row["result"] or "null"),
        "position": definition["position"],
        "predecessors": definition["predecessors"],
        "conditions": definition["conditions"],
        "active": definition["active"],
    }


def action(world: World, row: Row, input: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "taskExe": row["task_execution"],
        "state": row["state"],
        "stateInfo": row["state_info"],
        "startedAt": iso(row["started_us"]),
        "endedAt": when(row["ended_us"]),
        "runtime": runtime(world, row),
        "action": row["action"],
        "input": input,
        "result": json.loads(row["result"] or "null"),
        "attempt": 0,
        "loopItem": {},
    }


def when(us: int | None) -> str | None:
    return None if us is None else iso(us)


def runtime(world: World, row: Row) -> int:
    """Seconds; of what has not ended, until now."""
    if row["started_us"] is None:
        return 0
    end = row["ended_us"] if row["ended_us"] is not None else world.clock.now_us()
    return max(0, int(end - row["started_us"]) // MICROSECONDS)
