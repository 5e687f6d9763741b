"""The workflow's two forms, and the way between them: our inputs, and the JSON of the Automation API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow_src.render import TASK, TIMEZONE, render_script, render_workflow, unrender_script

from .api.automation import Json
from .lifecycle import Props
from .ownership import marked


def whole(value: Any) -> Any:
    """Numbers come from the engine as floats; the API wants integers."""
    if isinstance(value, Mapping):
        return {key: whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parameters_of(props: Props) -> Json:
    return {**whole(props["parameters"]), **props["ids"]}


def body(props: Props) -> Json:
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


def drift(live: Json, props: Props) -> Props:
    """Live values of the inputs that differ. Only fields that we set are compared: the API fills in many more."""
    found = {
        "name": live.get("title"),
        "purpose": unmarked(live.get("description") or "", props),
        "private": bool(live.get("isPrivate")),
        "schedule": schedule_of(live),
        "definition": of_the_form(live, whole(props["definition"])),
    }
    if props["actor"]:
        found["actor"] = live.get("actor") or ""
    task = (live.get("tasks") or {}).get(TASK) or {}
    script, parameters = unrender_script((task.get("input") or {}).get("script") or "", props["script"])
    found["script"] = script
    if parameters and script == props["script"]:
        found["ids"] = {key: parameters.get(key) for key in props["ids"]}
        found["parameters"] = {key: value for key, value in parameters.items() if key not in props["ids"]}
    return {key: value for key, value in found.items() if value != whole(props[key])}


def unmarked(description: str, props: Props) -> str:
    """The purpose, if the description is ours; else the whole of it, for people to see."""
    return str(props["purpose"]) if description == marked(props["purpose"], props["stack"]) else description


def schedule_of(live: Json) -> Json:
    schedule = (live.get("trigger") or {}).get("schedule") or {}
    trigger = schedule.get("trigger") or {}
    shown = {"isActive": bool(schedule.get("isActive")), **other_settings(schedule)}
    if trigger.get("type") != "interval":
        # Another kind of schedule shows as it is; ours is written over it.
        return {**shown, **trigger}
    # Without its days and times it would be equal, with them it is not ours.
    return {**shown, **{k: v for k, v in trigger.items() if k != "type" and v}}


def other_settings(schedule: Json) -> Json:
    """Those that we leave as they are by default, where somebody has set them."""
    filters = schedule.get("filterParameters") or {}
    found = {
        "timezone": "" if schedule.get("timezone") == TIMEZONE else schedule.get("timezone"),
        "rule": schedule.get("rule"),
        # UNVERIFIED: a start that lies behind us filters nothing, and may be filled in by the API.
        "filterParameters": {k: v for k, v in filters.items() if v and k not in ("earliestStart", "earliestStartTime")},
    }
    return {key: value for key, value in found.items() if value}


def of_the_form(live: Any, form: Any) -> Any:
    """The members of ``live`` that ``form`` has, at every depth; tasks that are not ours show by their action."""
    if not isinstance(form, Mapping) or not isinstance(live, Mapping):
        return live
    found = {key: of_the_form(live[key], inner) for key, inner in form.items() if key in live}
    if "tasks" in form:
        strangers = {name: task for name, task in (live.get("tasks") or {}).items() if name not in form["tasks"]}
        found["tasks"] = {
            **(found.get("tasks") or {}),
            **{name: {"action": task.get("action")} for name, task in strangers.items()},
        }
    return found


def in_words(changed: Props, props: Props) -> str:
    """Differences as one line: which fields, and for short ones what they were."""
    shown = [
        f"{key} {value!r} instead of {props[key]!r}" if key in ("name", "private", "actor") else key
        for key, value in changed.items()
    ]
    return ", ".join(shown)
