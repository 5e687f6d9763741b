"""``/platform/automation/v1/executions`` and ``action-executions``."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.routing import Answer, Call, Route
from ..kernel.store import Row
from . import executions, listing, tasks, views
from . import workflows as workflow_rules
from .access import sees
from .errors import not_found
from .workflow_routes import READ, RUN, admin

BASE = "/platform/automation/v1"
ORDERS: listing.Order = {
    # Two that start in the same moment keep the order in which they were started.
    "startedAt": lambda row: (row["started_us"], row["number"]),
    "endedAt": lambda row: (row["ended_us"] is None, row["ended_us"] or 0),
    "title": lambda row: row["title"].casefold(),
    "state": lambda row: row["state"],
    "triggerType": lambda row: row["trigger_type"],
    "id": lambda row: row["id"],
}


def may_see(call: Call, workflow_id: str, as_admin: bool) -> bool:
    """Whoever can see a workflow can see its executions; those of a deleted workflow are visible to all [D]."""
    workflow = workflow_rules.find(call.world, workflow_id)
    return workflow is None or sees(workflow, call.who.user, as_admin)


def row_of(call: Call) -> Row:
    row = executions.find(call.world, call.params["id"])
    if row is None or not may_see(call, row["workflow"], admin(call)):
        raise not_found("execution")
    return row


def task_of(call: Call) -> Row:
    execution = row_of(call)["id"]
    row = next((task for task in tasks.all_of(call.world, execution) if task["name"] == call.params["name"]), None)
    if row is None:
        raise not_found("task execution")
    return row


def action_of(call: Call) -> tuple[Row, Row]:
    """An action execution and its task execution."""
    action = call.world.store.one("SELECT * FROM action_executions WHERE id = ?", call.params["id"])
    execution = executions.find(call.world, action["execution"]) if action else None
    if action is None or execution is None or not may_see(call, execution["workflow"], admin(call)):
        raise not_found("action execution")
    task = call.world.store.one("SELECT * FROM task_executions WHERE id = ?", action["task_execution"])
    assert task is not None
    return action, task


def list_executions(call: Call) -> Answer:
    """Neither draft executions nor those of simple workflows are listed (facts: dynatrace-api 5.4, SA)."""
    listing.refuse(call, "schedule", "trigger")
    # No workflow here has sub-workflows.
    if listing.flag(call, "subworkflowOfTask") or {"parentExecution", "parentWorkflow"} & call.query.keys():
        return Answer(200, {"count": 0, "results": []})
    conditions = ["is_draft = 0", "workflow_type = 'STANDARD'", "started_us BETWEEN ? AND ?"]
    values: list[Any] = [
        listing.moment(call, "startedAt__gte") or 0,
        listing.moment(call, "startedAt__lte") or listing.END_OF_TIME_US,
    ]
    for name, column in (
        ("workflow", "workflow"),
        ("state", "state"),
        ("triggerType", "trigger_type"),
        ("user", "user"),
    ):
        if words := listing.words(call, name):
            if name == "state" and "ERROR" in words:
                words.add("CANCELLED")  # facts: dynatrace-api 5.4, DC
            conditions.append(f"{column} IN ({', '.join('?' * len(words))})")
            values += sorted(words)
    found = call.world.store.all(f"SELECT * FROM executions WHERE {' AND '.join(conditions)}", *values)
    search, as_admin = call.query.get("search", "").casefold(), admin(call)
    visible = {workflow: may_see(call, workflow, as_admin) for workflow in {row["workflow"] for row in found}}
    rows = [row for row in found if search in row["title"].casefold() and visible[row["workflow"]]]
    return Answer(200, listing.page(call, rows, ORDERS, "-startedAt", lambda row: views.execution(call.world, row)))


def get_execution(call: Call) -> Answer:
    return Answer(200, views.execution(call.world, row_of(call)))


def cancel(call: Call) -> Answer:
    executions.cancel(call.world, row_of(call))
    return Answer(204)


def get_log(call: Call) -> Answer:
    return as_string(executions.log(call.world, row_of(call)["id"]))


def get_tasks(call: Call) -> Answer:
    rows = tasks.all_of(call.world, row_of(call)["id"])
    return Answer(200, {row["name"]: views.task(call.world, row) for row in rows})


def get_task(call: Call) -> Answer:
    return Answer(200, views.task(call.world, task_of(call)))


def get_task_log(call: Call) -> Answer:
    task = task_of(call)
    return as_string(executions.log(call.world, task["execution"], task["name"]))


def get_task_result(call: Call) -> Answer:
    return as_json(json.loads(task_of(call)["result"] or "null"))


def get_task_input(call: Call) -> Answer:
    return Answer(200, json.loads(task_of(call)["definition"])["input"])


def get_actions(call: Call) -> Answer:
    """The actions assigned to its tasks, by name (SA): not what they did."""
    rows = tasks.all_of(call.world, row_of(call)["id"])
    return Answer(200, list(dict.fromkeys(json.loads(row["definition"])["action"] for row in rows)))


def get_action(call: Call) -> Answer:
    action, task = action_of(call)
    return Answer(200, views.action(call.world, action, json.loads(task["definition"])["input"]))


def get_action_log(call: Call) -> Answer:
    action, task = action_of(call)
    return as_string(executions.log(call.world, action["execution"], task["name"]))


def as_json(value: Any) -> Answer:
    """Any JSON value, null included."""
    return Answer(200, json.dumps(value, ensure_ascii=False), {"content-type": "application/json; charset=utf-8"})


def as_string(text: str) -> Answer:
    """Logs are a JSON-encoded string, not text/plain (facts: dynatrace-api 5.4)."""
    return as_json(text)


def route(method: str, path: str, handler: Any, scope: str = READ, **more: Any) -> Route:
    return Route(method, BASE + path, handler, "automation", "platform", scope, source="SA, DC", **more)


ONE_BY_ONE = "tasks of one execution run one after another; no retries, loops, custom conditions"
ROUTES: list[Route] = [
    route(
        "GET", "/executions", list_executions, fidelity="approximate",
        note="the filters `schedule` and `trigger` are refused; there are no sub-workflows",
    ),
    route("GET", "/executions/{id}", get_execution),
    route("POST", "/executions/{id}/cancel", cancel, RUN),
    route("GET", "/executions/{id}/log", get_log),
    route("GET", "/executions/{id}/actions", get_actions),
    route("GET", "/executions/{id}/tasks", get_tasks, fidelity="approximate", note=ONE_BY_ONE),
    route("GET", "/executions/{id}/tasks/{name}", get_task),
    route("GET", "/executions/{id}/tasks/{name}/log", get_task_log),
    route("GET", "/executions/{id}/tasks/{name}/result", get_task_result),
    route("GET", "/executions/{id}/tasks/{name}/input", get_task_input),
    route("GET", "/action-executions/{id}", get_action),
    route("GET", "/action-executions/{id}/log", get_action_log),
]  # fmt: skip
