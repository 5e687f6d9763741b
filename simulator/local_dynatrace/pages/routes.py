"""The pages' route table and handlers."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from ..automation import executions as automation
from ..kernel.routing import Answer, Call
from . import (
    allowlist,
    control_routes,
    dashboard_routes,
    executions,
    logs,
    overview,
    permissions,
    problem_routes,
    request_routes,
    timeframe,
    vault,
    workflows,
)
from .executions import EXECUTIONS, WORKFLOWS
from .polling import RUNNING_MS, poll_ms
from .render import FOLDER, SECURITY, navigation, not_found, page, panels, route

APP_ROOT = r"/ui/apps/[^/]+"
ROOTS = ("/ui", "/ui/apps", "/_sim/ui")
STATIC = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def get_overview(call: Call) -> Answer:
    view = overview.view(call.world)
    busy = executions.running(view["executions"])
    return page(
        call, "overview.html", "overview", "Overview", view=view, panels=panels(call, "overview"),
        also=[plugin.title for plugin in call.world.plugins], poll_ms=poll_ms(call, busy),
    )  # fmt: skip


def get_workflows(call: Call) -> Answer:
    rows = workflows.rows(call.world)
    busy = any(row["last"] and executions.running([row["last"]]) for row in rows)
    return page(call, "workflows.html", "workflows", "Workflows", view={"workflows": rows}, poll_ms=poll_ms(call, busy))


def get_workflow(call: Call) -> Answer:
    return workflow(call)


def workflow(call: Call, problem: str = "", status: int = 200) -> Answer:
    found = workflows.one(call.world, call.params["id"])
    if found is None:
        return not_found(call, f"There is no workflow {call.params['id']}.")
    busy = executions.running(found["executions"])
    return page(
        call, "workflow.html", "workflows", found["title"], status=status, workflow=found, problem=problem,
        poll_ms=poll_ms(call, busy), panels=panels(call, "workflow", found),
    )  # fmt: skip


def run_workflow(call: Call) -> Answer:
    """The Run button: whoever looks at this page is the person of the seed."""
    workflow_id = call.params["id"]
    if workflows.one(call.world, workflow_id) is None:
        return not_found(call, f"There is no workflow {workflow_id}.")
    person = call.world.store.one("SELECT id FROM users WHERE kind = 'person' ORDER BY id LIMIT 1")
    try:
        execution, _ = automation.start(
            call.world, workflow_id, trigger_type="Manual", user=person["id"] if person else None
        )
    except automation.ThrottledError as limit:
        return workflow(call, f"Not started: {limit}.", 429)
    return Answer(303, None, {"location": f"{EXECUTIONS}/{execution['id']}"})


def get_executions(call: Call) -> Answer:
    text = call.query.get("before", "")
    before = int(text[:18]) if text.isascii() and text.isdigit() else None
    rows = executions.rows(call.world, before=before)
    return page(
        call, "executions.html", "executions", "Executions", rows=rows, newest=EXECUTIONS if before is not None else "",
        older=f"{EXECUTIONS}?before={rows[-1]['number']}" if len(rows) == executions.PAGE else "",
        poll_ms=poll_ms(call, executions.running(rows)),
    )  # fmt: skip


def get_execution(call: Call) -> Answer:
    found = executions.one(call.world, call.params["id"], call.query.get("task"))
    if found is None:
        return not_found(call, f"There is no execution {call.params['id']}.")
    script = call.world.scripts.running.get(found["id"])
    below = panels(call, "execution", found)
    alive = below.alive or found["state"] in executions.ALIVE or script is not None
    return page(
        call, "execution.html", "executions", found["title"], execution=found, script=script, panels=below,
        facts=panels(call, "execution.facts", found), poll_ms=RUNNING_MS if alive else 0,
    )  # fmt: skip


async def get_logs(call: Call) -> Answer:
    frame = timeframe.of(call.query, call.world.clock.now_us())
    query = call.query.get("query") or logs.first_query(call.world)
    view = await logs.view(call.world, query, frame, call.query.get("chart", ""), call.query.get("show", ""))
    status = 400 if view["error"] or frame.problem else 200
    return page(call, "logs.html", "logs", "Logs", status=status, view=view)


def get_vault(call: Call) -> Answer:
    return page(call, "vault.html", "vault", "Credential vault", rows=vault.rows(call.world))


def get_allowlist(call: Call) -> Answer:
    view = allowlist.view(call.world)
    return page(
        call,
        "allowlist.html",
        "allowlist",
        "External requests",
        view=view,
        poll_ms=0 if view["settled"] else RUNNING_MS,
    )


def get_permissions(call: Call) -> Answer:
    return page(call, "permissions.html", "workflows", "Workflow permissions", users=permissions.rows(call.world))


def get_static(call: Call) -> Answer:
    name = call.params["name"]
    kind = STATIC.get(name.rpartition(".")[2])
    if kind is None or name not in {file.name for file in (FOLDER / "static").iterdir()}:
        return not_found(call, f"There is no file {name}.")
    return Answer(200, (FOLDER / "static" / name).read_bytes(), {**SECURITY, "content-type": kind})


def elsewhere(call: Call) -> Answer:
    """Lead to the page that is meant, if one is: without the trailing slash, or the first page of an app."""
    path = call.path.rstrip("/")
    here = call.table.find("GET", path) if path != call.path else None
    target = path if here and here[0].handler is not elsewhere else first_page(call, path)
    if target is None:
        return not_found(call, f"The page {call.path} is not part of the local environment.")
    query = urlencode(call.query_list)
    return Answer(302, None, {"location": f"{target}?{query}" if query else target})


def first_page(call: Call, app: str) -> str | None:
    """The first page of an app, such as ``/ui/apps/dynatrace.automations``; the overview for the root of all apps."""
    if app in ROOTS:
        return "/"
    if not re.fullmatch(APP_ROOT, app):
        return None
    pages = (entry.href for entry in navigation(call.world.plugins))
    return next((href for href in pages if href == app or href.startswith(f"{app}/")), None)


ROUTES = [
    route("GET", "/", get_overview),
    route("GET", WORKFLOWS, get_workflows, note="Dynatrace's path; its page looks different"),
    route("GET", WORKFLOWS + "/{id}", get_workflow, note="the link that a deployment prints"),
    route("POST", WORKFLOWS + "/{id}/run", run_workflow, note="the Run button"),
    route("GET", EXECUTIONS, get_executions),
    route("GET", EXECUTIONS + "/{id}", get_execution),
    route("GET", "/ui/apps/dynatrace.automations/settings", get_permissions, note="shows, does not change"),
    route("GET", logs.PATH, get_logs),
    route("GET", "/ui/apps/dynatrace.credential.vault", get_vault),
    route("GET", "/ui/apps/dynatrace.settings/settings/external-requests", get_allowlist),
    *request_routes.ROUTES,
    *dashboard_routes.ROUTES,
    *problem_routes.ROUTES,
    *control_routes.ROUTES,
    route("GET", "/_sim/ui/static/{name}", get_static),
    *(route("GET", root, elsewhere) for root in ("/ui", "/ui/", "/_sim/ui", "/_sim/ui/")),
    route("GET", "/ui/{rest:path}", elsewhere, note="redirects to the page that is meant, or suggests some"),
    route("GET", "/_sim/ui/{rest:path}", elsewhere),
]
