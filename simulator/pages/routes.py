"""The pages' route table and handlers."""

from __future__ import annotations

import json
from typing import Any

from ..automation import executions as automation
from ..control import faults
from ..control import requests as log
from ..kernel.routing import Answer, Call, Handler, Route, WireError
from . import allowlist, controls, executions, logs, overview, permissions, vault, workflows
from .executions import EXECUTIONS, WORKFLOWS
from .render import FOLDER, SECURITY, not_found, page

RUNNING_MS, LONGEST_MS = 2000, 60_000
"""How soon a page looks again while something runs, and at the latest while only a schedule is awaited."""
STATIC = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def poll_ms(call: Call, busy: bool) -> int:
    """Soon while something runs; else when the next schedule is due; never if nothing will happen by itself."""
    if busy or call.world.scripts.running:
        return RUNNING_MS
    due = call.world.store.one("SELECT min(next_us) AS at FROM workflows")
    if call.world.clock.mode != "running" or not call.world.options.scheduler or not due or due["at"] is None:
        return 0
    return int(max(RUNNING_MS, min(LONGEST_MS, (due["at"] - call.world.clock.now_us()) // 1000 + 500)))


def get_overview(call: Call) -> Answer:
    view = overview.view(call.world)
    busy = executions.running(view["executions"])
    return page(call, "overview.html", "overview", "Overview", view=view, poll_ms=poll_ms(call, busy))


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
        poll_ms=poll_ms(call, busy),
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
    rows = executions.rows(call.world, limit=200)
    return page(
        call, "executions.html", "executions", "Executions", rows=rows, poll_ms=poll_ms(call, executions.running(rows))
    )


def get_execution(call: Call) -> Answer:
    found = executions.one(call.world, call.params["id"], call.query.get("task"))
    if found is None:
        return not_found(call, f"There is no execution {call.params['id']}.")
    alive = found["state"] in executions.ALIVE or call.params["id"] in call.world.scripts.running
    return page(
        call, "execution.html", "executions", found["title"], execution=found, poll_ms=RUNNING_MS if alive else 0
    )


def get_logs(call: Call) -> Answer:
    view = logs.view(call.world, call.query.get("query") or logs.DEFAULT_QUERY)
    count = len(view["records"] or view["table"])
    return page(call, "logs.html", "logs", "Logs", status=400 if view["error"] else 200, view=view, count=count)


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


def get_requests(call: Call) -> Answer:
    given = {key: value for key, value in call.query.items() if value}
    wanted = log.Filter.of({"limit": "200", **given})
    found = log.lines(call.world, wanted)
    apis = sorted({line.api for line in call.world.requests} - set(log.OWN_APIS))
    return page(
        call, "requests.html", "requests", "Requests", lines=found[::-1], wanted=wanted, apis=apis, filtered=bool(given)
    )


def get_controls(call: Call) -> Answer:
    return show_controls(call)


def show_controls(call: Call, problem: str = "", draft: str = controls.EXAMPLE, status: int = 200) -> Answer:
    return page(
        call, "controls.html", "controls", "Controls", status=status, rules=controls.rules(call), problem=problem,
        draft=draft,
    )  # fmt: skip


def post_clock(call: Call) -> Answer:
    form = controls.form(call)
    if form.get("mode") in ("running", "frozen", "auto"):
        call.world.clock.set_mode(form["mode"])  # type: ignore[arg-type]
    elif form.get("step", "").isdecimal():
        call.world.clock.step(int(form["step"]))
    else:
        return show_controls(call, "Choose a mode or a step.", status=400)
    call.world.changed("clock")
    return to_controls()


def post_fault(call: Call) -> Answer:
    text = controls.form(call).get("rule", "")
    try:
        faults.add(call.world, json.loads(text))
    except ValueError:
        return show_controls(call, "The rule is not valid JSON.", text, 400)
    except WireError as error:
        return show_controls(call, error.body["error"]["message"], text, 400)
    return to_controls()


def remove_fault(call: Call) -> Answer:
    number = call.params["id"]
    if number.isdecimal():
        call.world.faults.remove(int(number))
    return to_controls()


def clear_faults(call: Call) -> Answer:
    call.world.faults.clear()
    return to_controls()


def to_controls() -> Answer:
    return Answer(303, None, {"location": "/_sim/ui/controls"})


def get_static(call: Call) -> Answer:
    name = call.params["name"]
    kind = STATIC.get(name.rpartition(".")[2])
    if kind is None or name not in {file.name for file in (FOLDER / "static").iterdir()}:
        return not_found(call, f"There is no file {name}.")
    return Answer(200, (FOLDER / "static" / name).read_bytes(), {**SECURITY, "content-type": kind})


def elsewhere(call: Call) -> Answer:
    return not_found(call, f"The page {call.path} of Dynatrace is not part of the local environment.")


def route(method: str, path: str, handler: Handler, **more: Any) -> Route:
    return Route(method, path, handler, "pages", "own", fidelity="approximate", **more)


ROUTES = [
    route("GET", "/", get_overview),
    route("GET", WORKFLOWS, get_workflows, note="Dynatrace's path; its page looks different"),
    route("GET", WORKFLOWS + "/{id}", get_workflow, note="the link that a deployment prints"),
    route("POST", WORKFLOWS + "/{id}/run", run_workflow, note="the Run button"),
    route("GET", EXECUTIONS, get_executions),
    route("GET", EXECUTIONS + "/{id}", get_execution),
    route("GET", "/ui/apps/dynatrace.automations/settings", get_permissions, note="shows, does not change"),
    route("GET", "/ui/apps/dynatrace.logs", get_logs),
    route("GET", "/ui/apps/dynatrace.credential.vault", get_vault),
    route("GET", "/ui/apps/dynatrace.settings/settings/external-requests", get_allowlist),
    route("GET", "/_sim/ui/requests", get_requests),
    route("GET", "/_sim/ui/controls", get_controls),
    route("POST", "/_sim/ui/controls/clock", post_clock),
    route("POST", "/_sim/ui/controls/faults", post_fault),
    route("POST", "/_sim/ui/controls/faults/clear", clear_faults),
    route("POST", "/_sim/ui/controls/faults/{id}/remove", remove_fault),
    route("GET", "/_sim/ui/static/{name}", get_static),
    route("GET", "/ui/{rest:path}", elsewhere),
]
