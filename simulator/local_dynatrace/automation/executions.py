"""Executions: started by a call or a tick, carried from task to task, ended, cancelled."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.store import Row
from ..kernel.world import World
from . import tasks, throttle, views
from .errors import not_found

FINAL = ("SUCCESS", "ERROR", "CANCELLED")


class ThrottledError(Exception):
    """The workflow's hourly limit is hit; nothing was started."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(f"limit of {event['limit']} executions per hour")
        self.limit: int = event["limit"]
        self.retry_after_s: int = event["timeLeftInSeconds"]


def find(world: World, id: str) -> Row | None:
    return world.store.one("SELECT * FROM executions WHERE id = ?", id)


def start(
    world: World,
    workflow_id: str,
    *,
    trigger_type: str,
    user: str | None,
    input: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    unique_qualifier: str | None = None,
) -> tuple[dict[str, Any], bool]:
    """Start an execution and its first task; returns it and whether it is new. Raises ThrottledError.

    A qualifier that this workflow has seen before starts nothing: the execution it started is returned
    (UNVERIFIED: a qualifier's scope is the workflow and its lifetime that of the execution).
    """
    workflow = world.store.one("SELECT * FROM workflows WHERE id = ?", workflow_id)
    if workflow is None:
        raise not_found("workflow")
    if unique_qualifier is not None and (known := with_qualifier(world, workflow_id, unique_qualifier)):
        return views.execution(world, known), False
    if limit := throttle.event(world, workflow):
        raise ThrottledError(limit)
    definition = json.loads(workflow["definition"])
    execution_id, now = world.ids.uuid(), world.clock.now_us()
    world.store.run(
        "INSERT INTO executions (id, workflow, title, state, started_us, trigger_type, user, actor, input, params, "
        "workflow_version, workflow_type, is_draft, unique_qualifier) "
        "VALUES (?, ?, ?, 'RUNNING', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        execution_id, workflow_id, workflow["title"], now, trigger_type, user, workflow["actor"],
        json.dumps({**definition["input"], **(input or {})}), json.dumps(params or {}), workflow["version"],
        definition["type"], not definition["isDeployed"], unique_qualifier,
    )  # fmt: skip
    tasks.create(world, execution_id, definition["tasks"])
    carry_on(world, execution_id)
    row = find(world, execution_id)
    assert row is not None
    return views.execution(world, row), True


def with_qualifier(world: World, workflow_id: str, qualifier: str) -> Row | None:
    return world.store.one(
        "SELECT * FROM executions WHERE workflow = ? AND unique_qualifier = ?", workflow_id, qualifier
    )


def carry_on(world: World, id: str) -> None:
    """Start what is due; end the execution when nothing is left."""
    row = find(world, id)
    if row is None:
        return
    if row["state"] == "RUNNING" and tasks.start_due(world, row) is None:
        # [D]: an execution fails with its first failed task and reports that task's reason.
        failed = world.store.one(
            "SELECT * FROM task_executions WHERE execution = ? AND state = 'ERROR' ORDER BY ended_us LIMIT 1", id
        )
        world.store.run(
            "UPDATE executions SET state = ?, state_info = ?, ended_us = ? WHERE id = ?",
            "ERROR" if failed else "SUCCESS", failed["state_info"] if failed else None, world.clock.now_us(), id,
        )  # fmt: skip
    world.changed("execution", id)


def finish(world: World, execution_id: str, *, state: str, state_info: str | None = None, result: Any = None) -> None:
    """The running task of an execution has ended (the runtime reports); the next one starts."""
    with world.store.transaction():
        if tasks.end_running(world, execution_id, state, state_info, result):
            carry_on(world, execution_id)


def append_log(world: World, execution_id: str, text: str) -> None:
    """Add what the running task printed to its log."""
    with world.store.transaction():
        running = tasks.running(world, execution_id)
        if running:
            world.store.run(
                "INSERT INTO execution_logs (execution, task, at_us, text) VALUES (?, ?, ?, ?)",
                execution_id, running["name"], world.clock.now_us(), text,
            )  # fmt: skip
    world.changed("execution", execution_id)


def log(world: World, execution_id: str, task: str | None = None) -> str:
    """The text printed so far, of one task or of all."""
    lines = world.store.all(
        "SELECT text FROM execution_logs WHERE execution = ? AND (? IS NULL OR task = ?) ORDER BY number",
        execution_id, task, task,
    )  # fmt: skip
    return "\n".join(line["text"] for line in lines)


def cancel(world: World, row: Row) -> None:
    """Nothing further starts; the script that runs completes and may still write (facts: dynatrace-runtime 6)."""
    if row["state"] in FINAL:
        return
    now = world.clock.now_us()
    world.store.run("UPDATE executions SET state = 'CANCELLED', ended_us = ? WHERE id = ?", now, row["id"])
    world.store.run(
        "UPDATE task_executions SET state = 'CANCELLED', ended_us = ? WHERE execution = ? AND state = 'IDLE'",
        now, row["id"],
    )  # fmt: skip
    world.changed("execution", row["id"])
