"""The tasks of one execution: which is due, what starts it, what its end means for the others.

Tasks of one execution run one after another, also where the platform would run them side by side.
"""

from __future__ import annotations

import json
from typing import Any

from ..kernel.scripts import Job
from ..kernel.store import Row
from ..kernel.world import World
from . import messages
from .task_checks import JAVASCRIPT

FINAL = ("SUCCESS", "ERROR", "SKIPPED", "DISCARDED", "CANCELLED")
# Which states of a predecessor satisfy a condition (values: SA; meaning of OK and NOK [D]).
SATISFIES = {
    "SUCCESS": ("SUCCESS",),
    "ERROR": ("ERROR",),
    "ANY": FINAL,
    "OK": ("SUCCESS", "SKIPPED"),
    "NOK": ("ERROR", "CANCELLED"),
}
RUN_FUNCTIONS = "app-engine:functions:run"
DEFAULT_TIMEOUT_S = 3600.0
"""Of a task that sets none (facts: dynatrace-api 5.2, SA)."""


def create(world: World, execution: str, definitions: dict[str, Any]) -> None:
    for name, definition in definitions.items():
        world.store.run(
            "INSERT INTO task_executions (id, execution, name, state, definition) VALUES (?, ?, ?, 'IDLE', ?)",
            world.ids.uuid(), execution, name, json.dumps(definition),
        )  # fmt: skip


def all_of(world: World, execution: str) -> list[Row]:
    return world.store.all("SELECT * FROM task_executions WHERE execution = ? ORDER BY number", execution)


def running(world: World, execution: str) -> Row | None:
    return world.store.one("SELECT * FROM task_executions WHERE execution = ? AND state = 'RUNNING'", execution)


def start_due(world: World, execution: Row) -> Row | None:
    """The running task, one that is started now where none was; None when all have ended."""
    while (busy := running(world, execution["id"])) is None:
        rows = all_of(world, execution["id"])
        states = {row["name"]: row["state"] for row in rows}
        due = next((row for row in rows if row["state"] == "IDLE" and ready(row, states)), None)
        if due is None:
            return None
        definition = json.loads(due["definition"])
        if not definition["active"]:
            end(world, due, "SKIPPED", None, None)
        elif not satisfied(definition, states):
            end(world, due, "SKIPPED" if definition["conditions"].get("else") == "SKIP" else "DISCARDED", None, None)
        else:
            begin(world, execution, due, definition)
    return busy


def ready(row: Row, states: dict[str, str]) -> bool:
    return all(states[name] in FINAL for name in json.loads(row["definition"])["predecessors"])


def satisfied(definition: dict[str, Any], states: dict[str, str]) -> bool:
    """Each predecessor's condition holds; without one it must have succeeded [D]."""
    wanted = definition["conditions"].get("states", {})
    return all(states[name] in SATISFIES[wanted.get(name, "SUCCESS")] for name in definition["predecessors"])


def begin(world: World, execution: Row, task: Row, definition: dict[str, Any]) -> None:
    now, action_execution = world.clock.now_us(), world.ids.uuid()
    world.store.run("UPDATE task_executions SET state = 'RUNNING', started_us = ? WHERE id = ?", now, task["id"])
    world.store.run(
        "INSERT INTO action_executions (id, task_execution, execution, action, state, started_us) "
        "VALUES (?, ?, ?, ?, 'RUNNING', ?)",
        action_execution, task["id"], execution["id"], definition["action"], now,
    )  # fmt: skip
    if refusal := cannot_run(world, execution, definition):
        end_running(world, execution["id"], "ERROR", refusal, None)
        return
    if definition["action"] in messages.ACTIONS:
        tell(world, execution, task, definition)
        return
    job = Job(
        execution_id=execution["id"],
        action_execution_id=action_execution,
        workflow_id=execution["workflow"],
        task_name=task["name"],
        script=definition["input"]["script"],
        actor=execution["actor"],
        timeout_s=float(definition.get("timeout", DEFAULT_TIMEOUT_S)),
    )
    world.store.after_commit(lambda: world.scripts.launch(job))


def tell(world: World, execution: Row, task: Row, definition: dict[str, Any]) -> None:
    """A task that sends a message ends at once."""
    try:
        messages.send(world, execution, task, definition)
    except messages.ActionError as error:
        end_running(world, execution["id"], "ERROR", str(error), None)
    else:
        end_running(world, execution["id"], "SUCCESS", None, None)


def cannot_run(world: World, execution: Row, definition: dict[str, Any]) -> str | None:
    """Why this task fails before it does anything."""
    if definition["action"] in messages.ACTIONS:
        return None
    if definition["action"] != JAVASCRIPT:
        return f"The action '{definition['action']}' is not part of the local environment."
    if not isinstance(definition["input"].get("script"), str):
        return "The task has no script."
    if RUN_FUNCTIONS not in world.identity.permissions(execution["actor"]):
        # 403 is documented (facts: dynatrace-runtime 7), the text is UNVERIFIED.
        return f"403 Forbidden: the workflow's actor lacks the permission {RUN_FUNCTIONS}."
    return None


def end_running(world: World, execution: str, state: str, state_info: str | None, result: Any) -> bool:
    """Whether there was a running task to end."""
    task = running(world, execution)
    if task is None:
        return False
    end(world, task, state, state_info, result)
    return True


def end(world: World, task: Row, state: str, state_info: str | None, result: Any) -> None:
    now, stored = world.clock.now_us(), None if result is None else json.dumps(result)
    world.store.run(
        "UPDATE task_executions SET state = ?, state_info = ?, ended_us = ?, result = ? WHERE id = ?",
        state, state_info, now, stored, task["id"],
    )  # fmt: skip
    world.store.run(
        "UPDATE action_executions SET state = ?, state_info = ?, ended_us = ?, result = ? "
        "WHERE task_execution = ? AND state = 'RUNNING'",
        state, state_info, now, stored, task["id"],
    )  # fmt: skip
