"""What the rows of the automation tables must hold, for a state that is restored (see kernel/rows.py)."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.routing import WireError
from ..kernel.rows import RowChecks, an_object, anything
from . import messages, task_checks, workflow_checks, workflows
from .checks import InvalidError


def workflow(entry: dict[str, Any], value: Any) -> None:
    an_object(entry, value)
    try:
        known = workflow_checks.checked({"title": "any", **value}, None)
    except WireError as error:
        raise ValueError(json.dumps(error.body["error"]["details"])) from None
    if missing := sorted(workflow_checks.DEFAULTS.keys() - known.keys()):
        raise ValueError(f"without {', '.join(missing)}")
    for each in value["tasks"].values():
        task(entry, each)
    planned = workflows.ticking(value)
    due, anchor = entry.get("next_us"), entry.get("anchor_us")
    if due is not None and (planned is None or anchor is None):
        raise ValueError("does not go with next_us and anchor_us")


def task(entry: dict[str, Any], value: Any) -> None:
    try:
        whole = task_checks.one(str(value.get("name")) if isinstance(value, dict) else "", value, 0)
    except InvalidError as error:
        raise ValueError(json.dumps(error.details)) from None
    if missing := sorted(whole.keys() - value.keys()):
        raise ValueError(f"without {', '.join(missing)}")


ROW_CHECKS = RowChecks(
    {
        ("workflows", "definition"): workflow,
        ("workflow_history", "definition"): workflow,
        ("task_executions", "definition"): task,
        ("executions", "input"): an_object,
        ("executions", "params"): an_object,
        ("executions", "result"): anything,
        ("task_executions", "result"): anything,
        ("action_executions", "result"): anything,
        **messages.ROW_CHECKS.cells,
    },
    clocked=(
        "workflows", "workflow_history", "executions", "task_executions", "action_executions", "execution_logs",
        *messages.ROW_CHECKS.clocked,
    ),
)  # fmt: skip
