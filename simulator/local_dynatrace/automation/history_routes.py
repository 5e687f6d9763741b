"""``/platform/automation/v1/workflows/{id}/history``, ``export`` and ``duplicate``."""

from __future__ import annotations

from typing import Any

from ..kernel.clock import iso
from ..kernel.routing import Answer, Call, Route
from . import history, listing, views, workflows
from .checks import InvalidError, each, mapping, nullable, text
from .errors import invalid
from .workflow_routes import BASE, READ, WRITE, admin, body, row_of


def list_history(call: Call) -> Answer:
    """Newest first; without ``all=true`` the version in use is left out (SA; the default UNVERIFIED)."""
    current = row_of(call)
    rows = history.all_of(call.world, current["id"])
    if not listing.flag(call, "all"):
        rows = [row for row in rows if row["version"] != current["version"]]
    results = [
        {
            "id": row["number"],
            "version": row["version"],
            "user": row["modified_by"],
            "dateCreated": iso(row["modified_us"]),
        }
        for row in rows
    ]
    return Answer(200, {"count": len(results), "results": results})


def get_version(call: Call) -> Answer:
    """The workflow as it was; the SDK's types say that a version's export is the same."""
    row = history.get(call.world, row_of(call)["id"], call.params["version"])
    return Answer(200, views.workflow(call.world, row))


def restore(call: Call) -> Answer:
    """A write with the old version's content; it "is deployed afterward" (SA)."""
    current = row_of(call)
    former = history.writable(history.get(call.world, current["id"], call.params["version"]))
    workflows.update(call.world, call.who, current, {**former, "isDeployed": True}, admin(call))
    return Answer(200)


def export(call: Call) -> Answer:
    return Answer(200, history.exported(row_of(call)))


def duplicate(call: Call) -> Answer:
    """A copy that belongs to the caller; its title where none is given is UNVERIFIED."""
    current = row_of(call)
    try:
        given = each({"title": nullable(text(200, blank=False))}, mapping(body(call)))
    except InvalidError as wrong:
        raise invalid(wrong.details if isinstance(wrong.details, dict) else {"nonFieldErrors": wrong.details}) from None
    copy = history.writable(current)
    title = given.get("title") or f"Copy of {current['title']}"[:200]
    made = workflows.create(call.world, call.who, {**copy, "title": title}, admin(call))
    return Answer(201, views.workflow(call.world, made))


def route(method: str, path: str, handler: Any, scope: str, **more: Any) -> Route:
    return Route(method, f"{BASE}/{{id}}/{path}", handler, "automation", "platform", scope, **{"source": "SA", **more})


ROUTES: list[Route] = [
    route("GET", "history", list_history, READ, source="SA; default of `all` UNVERIFIED"),
    route("GET", "history/{version}", get_version, READ),
    route("GET", "history/{version}/export", get_version, READ),
    route("POST", "history/{version}/restore", restore, WRITE),
    route("GET", "export", export, READ),
    route("POST", "duplicate", duplicate, WRITE, fidelity="approximate", note="title of the copy is a guess"),
]
