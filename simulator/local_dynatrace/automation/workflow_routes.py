"""``/platform/automation/v1/workflows`` and below."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.nesting import read_json
from ..kernel.routing import Answer, Call, Route
from ..kernel.store import Row
from . import executions, listing, views, workflows
from .access import admin_access
from .checks import InvalidError, each, mapping, nullable, text
from .errors import invalid, not_found, throttled

BASE = "/platform/automation/v1/workflows"
READ, WRITE, RUN = "automation:workflows:read", "automation:workflows:write", "automation:workflows:run"
ORDERS: listing.Order = {
    "title": lambda row: row["title"].casefold(),
    "created": lambda row: row["created_us"],
    "modificationInfo__createdTime": lambda row: row["created_us"],
    "modificationInfo__lastModifiedTime": lambda row: row["modified_us"],
    "id": lambda row: row["id"],
}


def admin(call: Call) -> bool:
    return admin_access(call.who, bool(listing.flag(call, "adminAccess")))


def body(call: Call) -> Any:
    """The JSON body; a 400 in this API's envelope if it is none."""
    try:
        return read_json(call.body)
    except ValueError:
        raise invalid({"nonFieldErrors": ["JSON parse error."]}) from None


def row_of(call: Call) -> Row:
    return workflows.get(call.world, call.params["id"], call.who.user, admin(call))


def list_workflows(call: Call) -> Answer:
    listing.refuse(call, "fields")
    rows = [row for row in workflows.visible(call.world, call.who.user, admin(call)) if wanted(call, row)]
    return Answer(200, listing.page(call, rows, ORDERS, "title,id", lambda row: views.workflow(call.world, row)))


def wanted(call: Call, row: Row) -> bool:
    definition, query = json.loads(row["definition"]), call.query
    trigger_type = views.trigger_type(definition)
    deployed, faulty = listing.flag(call, "isDeployed"), listing.flag(call, "trigger__schedule__isFaulty")
    return (
        # A part of the title, in any case: no exact match (facts: dynatrace-api 5.1).
        query.get("search", "").casefold() in row["title"].casefold()
        and query.get("id", row["id"]) == row["id"]
        and query.get("owner", row["owner"]) == row["owner"]
        and query.get("ownerType", definition["ownerType"]) == definition["ownerType"]
        and query.get("type", definition["type"]) == definition["type"]
        and query.get("triggerType", trigger_type) == trigger_type
        and deployed in (None, definition["isDeployed"])
        and not faulty
        and wanted_by_what_happened(call, row)
    )


def wanted_by_what_happened(call: Call, row: Row) -> bool:
    """The filters that need more than the workflow itself."""
    states = listing.words(call, "lastExecution__state__in")
    editors = listing.words(call, "modificationInfo__lastModifiedBy")
    throttled = listing.flag(call, "throttle__isLimitHit")
    after, before = (listing.moment(call, f"unacknowledgedSkippedScheduleAt__{end}") for end in ("gte", "lte"))
    if not states and not editors and throttled is None and after is None and before is None:
        return True
    shown, skipped = views.workflow(call.world, row), row["skipped_us"]
    return (
        (not states or (shown["lastExecution"] or {}).get("state") in states)
        and (not editors or row["modified_by"] in editors)
        and throttled in (None, shown["throttle"]["isLimitHit"])
        and (after is None or (skipped is not None and skipped >= after))
        and (before is None or (skipped is not None and skipped <= before))
    )


def create_workflow(call: Call) -> Answer:
    row = workflows.create(call.world, call.who, body(call), admin(call))
    return Answer(201, views.workflow(call.world, row))


def get_workflow(call: Call) -> Answer:
    return Answer(200, views.workflow(call.world, row_of(call)))


def update_workflow(call: Call) -> Answer:
    row = workflows.update(call.world, call.who, row_of(call), body(call), admin(call))
    return Answer(200, views.workflow(call.world, row))


def delete_workflow(call: Call) -> Answer:
    workflows.delete(call.world, row_of(call)["id"])
    return Answer(204)


def run_workflow(call: Call) -> Answer:
    """201 with a new execution; 202 with the one that the qualifier started before."""
    row = row_of(call)
    try:
        given = each(
            {
                "input": nullable(mapping),
                "params": nullable(mapping),
                "uniqueQualifier": nullable(text(blank=False)),
            },
            mapping(body(call)),
        )
    except InvalidError as wrong:
        raise invalid(wrong.details if isinstance(wrong.details, dict) else {"nonFieldErrors": wrong.details}) from None
    try:
        execution, created = executions.start(
            call.world, row["id"], trigger_type="Manual", user=call.who.user, input=given.get("input"),
            params=given.get("params"), unique_qualifier=given.get("uniqueQualifier"),
        )  # fmt: skip
    except executions.ThrottledError as hit:
        raise throttled(hit.limit, hit.retry_after_s) from None
    return Answer(201 if created else 202, execution)


def reset_throttles(call: Call) -> Answer:
    workflows.reset_throttle(call.world, row_of(call)["id"])
    return Answer(200, {"success": True})


def tasks(call: Call) -> Answer:
    return Answer(200, json.loads(row_of(call)["definition"])["tasks"])


def actions(call: Call) -> Answer:
    """The actions assigned to its tasks, by name (SA)."""
    found = json.loads(row_of(call)["definition"])["tasks"].values()
    return Answer(200, list(dict.fromkeys(task["action"] for task in found)))


def task(call: Call) -> Answer:
    found = json.loads(row_of(call)["definition"])["tasks"].get(call.params["name"])
    if found is None:
        raise not_found("task")
    return Answer(200, found)


def route(method: str, path: str, handler: Any, scope: str, source: str = "SA, P-A", **more: Any) -> Route:
    return Route(method, BASE + path, handler, "automation", "platform", scope, source=source, **more)


REFUSED = (
    "event triggers other than for problems, retries, loops, waits, custom conditions, results and number expressions "
    "are refused by name; of the actions, JavaScript, e-mail and Slack run"
)
ROUTES: list[Route] = [
    route(
        "GET", "", list_workflows, READ, "SA, P-A; default page size UNVERIFIED",
        fidelity="approximate", note="the parameter `fields` is refused",
    ),
    route("POST", "", create_workflow, WRITE, "SA, TF#371", fidelity="approximate", note=REFUSED),
    route("GET", "/{id}", get_workflow, READ, "SA; 404 text UNVERIFIED"),
    route(
        "PUT", "/{id}", update_workflow, WRITE, "SA, TF c7b9aa2: root fields left out keep their value",
        fidelity="approximate", note=REFUSED,
    ),
    route("PATCH", "/{id}", update_workflow, WRITE, fidelity="approximate", note=REFUSED),
    route("DELETE", "/{id}", delete_workflow, WRITE, fidelity="approximate", note="trash=true deletes as well"),
    route(
        "POST", "/{id}/run", run_workflow, RUN, "SA; a qualifier's scope and the answer to a throttled run UNVERIFIED"
    ),
    route("POST", "/{id}/reset-throttles", reset_throttles, WRITE),
    route("GET", "/{id}/actions", actions, READ),
    route("GET", "/{id}/tasks", tasks, READ),
    route("GET", "/{id}/tasks/{name}", task, READ),
]  # fmt: skip
