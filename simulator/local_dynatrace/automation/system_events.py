"""Executions as records of ``dt.system.events`` (facts: alerting 6): each begins and ends with one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from ..kernel.data_objects import Record
from .executions import FINAL

TIMES = frozenset({"timestamp", "start_time", "end_time"})
DURATIONS = frozenset({"duration"})
PREFIX = "dt.automation_engine."
WITHIN = "({0}started_us >= ? AND {0}started_us < ? OR {0}ended_us >= ? AND {0}ended_us < ?)"


def read(db: sqlite3.Connection, from_us: int, to_us: int) -> Iterator[Record]:
    frame = (from_us, to_us, from_us, to_us)
    for row in db.execute(f"SELECT * FROM executions WHERE {WITHIN.format('')}", frame):
        yield from moments(row, from_us, to_us, "WORKFLOW_EXECUTION", of_workflow(row))
    tasks = (
        "SELECT t.*, e.workflow, e.title, e.is_draft, a.id AS action_id, a.action, a.state_info AS action_info "
        "FROM task_executions t JOIN executions e ON e.id = t.execution "
        f"JOIN action_executions a ON a.task_execution = t.id WHERE {WITHIN.format('t.')}"
    )
    for row in db.execute(tasks, frame):
        shared = of_task(row)
        yield from moments(row, from_us, to_us, "TASK_EXECUTION", shared)
        yield from moments(row, from_us, to_us, "ACTION_EXECUTION", {**shared, **of_action(row)})


def of_workflow(row: sqlite3.Row) -> Record:
    trigger = {"workflow_execution.trigger.type": row["trigger_type"]}
    if row["user"] is not None:
        trigger["workflow_execution.trigger.user.id"] = row["user"]
    return {
        **execution(row, row["id"]),
        "workflow.type": row["workflow_type"],
        "workflow_execution.actor": row["actor"],
        **trigger,
    }


def of_task(row: sqlite3.Row) -> Record:
    return {**execution(row, row["execution"]), "task.name": row["name"]}


def of_action(row: sqlite3.Row) -> Record:
    app, _, function = row["action"].partition(":")
    return {
        "action.app": app,
        "action.function": function,
        "action_execution.id": row["action_id"],
        "action_execution.retry.count": 0,
    }


def execution(row: sqlite3.Row, id: str) -> Record:
    return {
        "workflow.id": row["workflow"],
        "workflow.title": row["title"],
        "workflow_execution.id": id,
        "root_workflow.id": row["workflow"],
        "root_workflow_execution.id": id,
        "is_draft": bool(row["is_draft"]),
    }


def moments(row: sqlite3.Row, from_us: int, to_us: int, kind: str, own: Record) -> Iterator[Record]:
    """The records of what starts and ends within a timeframe."""
    base: dict[str, Any] = {
        "event.kind": "WORKFLOW_EVENT",
        "event.provider": "AUTOMATION_ENGINE",
        "event.type": kind,
        "start_time": row["started_us"],
        **{PREFIX + name: value for name, value in own.items()},
    }
    if row["started_us"] is not None and from_us <= row["started_us"] < to_us:
        yield {
            **base, "event.id": f"{row['id']}-{kind}-start", "timestamp": row["started_us"],
            PREFIX + "state": "RUNNING", PREFIX + "state.is_final": False,
        }  # fmt: skip
    if row["ended_us"] is not None and row["started_us"] is not None and from_us <= row["ended_us"] < to_us:
        yield {
            **base, "event.id": f"{row['id']}-{kind}-end", "timestamp": row["ended_us"],
            "end_time": row["ended_us"], "duration": row["ended_us"] - row["started_us"],
            PREFIX + "state": row["state"], PREFIX + "state.is_final": row["state"] in FINAL,
            PREFIX + "state_info": row["state_info"],
        }  # fmt: skip
