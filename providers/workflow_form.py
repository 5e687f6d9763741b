"""The workflow's two forms and how each becomes the other: our properties, and the JSON of the Automation API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow_src.render import TASK, TIMEZONE, render_script, render_workflow, unrender_script

from .api.automation import Json
from .claims import marked
from .configuration import Properties, Schedule, ScriptParameters


class WorkflowProperties(Properties):
    name: str
    """The workflow's title."""
    purpose: str
    script: str
    """Unrendered."""
    definition: Json
    """Content of ``workflow_src/workflow.yaml``."""
    parameters: ScriptParameters
    ids: dict[str, str]
    """Credential IDs, by the script's parameter."""
    schedule: Schedule
    private: bool
    actor: str
    """UUID, or empty."""
    adopt: str
    """ID, or empty."""
    actsFor: str
    """Output: UUID of the actor."""
    owner: str
    """Output: UUID of the owner."""


def whole(value: Any) -> Any:
    """Numbers come from the engine as floats; the API wants integers."""
    if isinstance(value, Mapping):
        return {key: whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parameters_of(props: WorkflowProperties) -> Json:
    return {**whole(props["parameters"]), **props["ids"]}


def body(props: WorkflowProperties) -> Json:
    """The workflow as ``POST`` and ``PUT`` take it."""
    return render_workflow(
        whole(props["definition"]),
        title=props["name"],
        description=marked(props["purpose"], props["stack"]),
        script=render_script(props["script"], parameters_of(props)),
        interval_minutes=int(props["schedule"]["intervalMinutes"]),
        active=props["schedule"]["isActive"],
        private=props["private"],
        actor=props["actor"],
    )


def drift(live: Json, props: WorkflowProperties) -> dict[str, object]:
    """Live values of the inputs that differ. Only fields that we set are compared: the API fills in many more."""
    found: dict[str, object] = {
        "name": live.get("title"),
        "purpose": unmarked(live.get("description") or "", props),
        "private": bool(live.get("isPrivate")),
        "schedule": schedule_of(live),
        "definition": shaped_like(live, whole(props["definition"])),
    }
    if props["actor"]:
        found["actor"] = live.get("actor") or ""
    task = (live.get("tasks") or {}).get(TASK) or {}
    script, parameters = unrender_script((task.get("input") or {}).get("script") or "", props["script"])
    found["script"] = script
    if parameters and script == props["script"]:
        found["ids"] = {key: parameters.get(key) for key in props["ids"]}
        found["parameters"] = {key: value for key, value in parameters.items() if key not in props["ids"]}
    current: Mapping[str, object] = {**props}
    return {key: value for key, value in found.items() if value != whole(current[key])}


def unmarked(description: str, props: WorkflowProperties) -> str:
    """The purpose if the description is ours, otherwise the whole description, for people to see."""
    return str(props["purpose"]) if description == marked(props["purpose"], props["stack"]) else description


def schedule_of(live: Json) -> Json:
    schedule = (live.get("trigger") or {}).get("schedule") or {}
    trigger = schedule.get("trigger") or {}
    shown = {"isActive": bool(schedule.get("isActive")), **other_settings(schedule)}
    if trigger.get("type") != "interval":
        # Another kind of schedule is shown as it is; ours overwrites it.
        return {**shown, **trigger}
    # Days and times restrict an interval: with them it is not ours.
    return {**shown, **{k: v for k, v in trigger.items() if k != "type" and v}}


def other_settings(schedule: Json) -> Json:
    """Settings whose defaults we use, where somebody has changed them."""
    filters = schedule.get("filterParameters") or {}
    found = {
        "timezone": "" if schedule.get("timezone") == TIMEZONE else schedule.get("timezone"),
        "rule": schedule.get("rule"),
        # UNVERIFIED: a start in the past filters nothing, and the API may fill it in.
        "filterParameters": {k: v for k, v in filters.items() if v and k not in ("earliestStart", "earliestStartTime")},
    }
    return {key: value for key, value in found.items() if value}


def shaped_like(live: Any, form: Any) -> Any:
    """The members of ``live`` that ``form`` has, at every depth; of tasks that are not ours, the action."""
    if not isinstance(form, Mapping) or not isinstance(live, Mapping):
        return live
    found = {key: shaped_like(live[key], inner) for key, inner in form.items() if key in live}
    if "tasks" in form:
        foreign = {name: task for name, task in (live.get("tasks") or {}).items() if name not in form["tasks"]}
        found["tasks"] = {
            **(found.get("tasks") or {}),
            **{name: {"action": task.get("action")} for name, task in foreign.items()},
        }
    return found


def in_words(changed: Mapping[str, object], props: WorkflowProperties) -> str:
    """Differences as one line: which fields, and for short ones what they were."""
    current: Mapping[str, object] = {**props}
    shown = [
        f"{key} {value!r} instead of {current[key]!r}" if key in ("name", "private", "actor") else key
        for key, value in changed.items()
    ]
    return ", ".join(shown)
