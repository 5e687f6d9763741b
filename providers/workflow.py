"""Steps 8, 9 and 10: the Automation workflow that runs the sync script on a schedule.

Script template, parameters and credential ids are separate inputs and are joined here, in the provider: so a preview
shows a text diff of the script even while an id is not known yet.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi

from workflow_src.render import TASK, render_script, render_workflow

from .api.automation import Json, started_at
from .api.environment import Environment
from .lifecycle import DynatraceObject, Found, ObjectProvider, Place, Props, choose, marked, say

NOUN = "workflow"
LONGEST_SCRIPT = timedelta(seconds=130)
"""No script can be alive longer: the runtime ends it at 120 s."""
LOOK_EVERY_S = 2.0


class WorkflowProvider(ObjectProvider):
    compared = ("purpose", "script", "definition", "parameters", "ids", "schedule", "private", "actor")

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        automation = environment.automation
        workflows = automation.workflows_titled(props["name"])
        if props["adopt"] and props["adopt"] not in {w["id"] for w in workflows}:
            workflows += filter(None, [automation.workflow(props["adopt"])])
        candidates = [Found(w["id"], w["title"], w.get("description") or "") for w in workflows]
        found = choose(NOUN, props["name"], props["stack"], props["adopt"], "workflow", candidates)
        if found:
            say(f"{NOUN} “{found.name}” ({found.id}) exists and is taken again; script and schedule are written anew")
            automation.update_workflow(found.id, body(props))
            return found.id, {}
        return str(automation.create_workflow(body(props))["id"]), {}

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        environment.automation.update_workflow(id, body(news))
        return {}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        live = environment.automation.workflow(id)
        return None if live is None else drift(live, props)

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        stop_runs(environment, id)
        environment.automation.delete_workflow(id)


def body(props: Props) -> Json:
    """The workflow's JSON. Numbers come from the engine as floats; the API wants integers."""
    parameters = {**whole(props["parameters"]), **props["ids"]}
    return render_workflow(
        props["definition"],
        title=props["name"],
        description=marked(props["purpose"], props["stack"]),
        script=render_script(props["script"], parameters),
        interval_minutes=int(props["schedule"]["intervalMinutes"]),
        active=props["schedule"]["isActive"],
        private=props["private"],
        actor=props["actor"],
    )


def whole(values: dict[str, Any]) -> dict[str, Any]:
    return {key: int(value) if isinstance(value, float) else value for key, value in values.items()}


def drift(live: Json, props: Props) -> Props:
    """Inputs as they stand live. Only fields that we set are compared: the API fills in many more."""
    wanted, changed = body(props), Props()
    task = live.get("tasks", {}).get(TASK, {})
    script = task.get("input", {}).get("script", "")
    if script != wanted["tasks"][TASK]["input"]["script"]:
        changed["script"] = script
    trigger = (live.get("trigger") or {}).get("schedule") or {}
    schedule = {
        "intervalMinutes": (trigger.get("trigger") or {}).get("intervalMinutes", 0),
        "isActive": bool(trigger.get("isActive") and live.get("isDeployed")),
    }
    if schedule != {**whole(props["schedule"])}:
        changed["schedule"] = schedule
    if live.get("title") != wanted["title"] or live.get("description") != wanted["description"]:
        changed["purpose"] = f"{live.get('title')}: {live.get('description')}"
    if bool(live.get("isPrivate")) != props["private"]:
        changed["private"] = bool(live.get("isPrivate"))
    if props["actor"] and live.get("actor") != props["actor"]:
        changed["actor"] = live.get("actor") or ""
    set_by_us = {key: value for key, value in wanted["tasks"][TASK].items() if key != "input"}
    seen = {key: task.get(key) for key in set_by_us}
    limit = live.get("hourlyExecutionLimit")
    if seen != set_by_us or limit != wanted["hourlyExecutionLimit"] or set(live.get("tasks", {})) != {TASK}:
        changed["definition"] = (
            f"changed outside Pulumi: tasks {sorted(live.get('tasks', {}))}, {seen}, {limit} runs an hour"
        )
    return changed


def stop_runs(environment: Environment, id: str) -> None:
    """Switch schedule and deployment off, then wait until no script can be alive any more.

    A cancelled script runs on until the platform ends it, so there is nothing to gain by cancelling.
    """
    automation = environment.automation
    live = automation.workflow(id)
    if live is None:
        return
    trigger = live.get("trigger") or {}
    if schedule := trigger.get("schedule"):
        schedule = {key: schedule.get(key) for key in ("trigger", "timezone", "rule", "filterParameters")}
        trigger = {"schedule": {**schedule, "isActive": False}}
    automation.update_workflow(id, {"isDeployed": False, "trigger": trigger})
    until = time.monotonic() + LONGEST_SCRIPT.total_seconds()
    told = False
    while running := [e for e in automation.executions(id, state="RUNNING") if may_be_alive(e)]:
        if time.monotonic() >= until:
            return
        if not told:
            say(f"waiting for {len(running)} running execution(s) to end, {LONGEST_SCRIPT.seconds} s at most")
            told = True
        time.sleep(LOOK_EVERY_S)


def may_be_alive(execution: Json) -> bool:
    started = started_at(execution)
    return started is None or datetime.now(UTC) - started < LONGEST_SCRIPT


class Workflow(DynatraceObject, module="dynatrace", name="Workflow"):
    """The workflow with its only task and its schedule.

    Args:
        name: the workflow's title.
        script: text of ``workflow_src/sync.js``, unrendered.
        definition: text of ``workflow_src/workflow.yaml``.
        parameters, ids: values of the script's parameters; ``ids`` are credential IDs.
        schedule: ``{"intervalMinutes": 1..720, "isActive": bool}``.
        actor: UUID of a service user, or empty for the OAuth client's own user.
    """

    def __init__(
        self,
        resource: str,
        place: Place,
        *,
        name: str,
        purpose: str,
        script: str,
        definition: str,
        parameters: dict[str, Any],
        ids: dict[str, pulumi.Input[str]],
        schedule: dict[str, Any],
        private: bool,
        actor: str,
        adopt: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place.props,
            "name": name,
            "purpose": purpose,
            "script": script,
            "definition": definition,
            "parameters": parameters,
            "ids": ids,
            "schedule": schedule,
            "private": private,
            "actor": actor,
            "adopt": adopt,
        }
        super().__init__(WorkflowProvider(), resource, props, opts)
