"""Checks of a workflow's ``tasks`` and the defaults the server fills in (facts: dynatrace-api 5.2)."""

from __future__ import annotations

import re
from typing import Any

from .checks import InvalidError, choice, each, flag, mapping, not_simulated, nullable, only_empty, text, whole

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9\-_]*\Z")
ACTION = re.compile(r"[^:\s]+:[^:\s]+\Z")
CONDITION_STATES = ("SUCCESS", "ERROR", "ANY", "OK", "NOK")
MOST_SECONDS = 604_800
JAVASCRIPT = "dynatrace.automations:run-javascript"


def tasks(value: Any) -> dict[str, Any]:
    """The map of tasks as it is stored. Raises InvalidError, mirroring the map."""
    found: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for row, (name, task) in enumerate(mapping(value).items()):
        try:
            found[name] = one(name, task, row)
        except InvalidError as wrong:
            problems[name] = wrong.details
    for name, task in found.items():
        if unknown := [other for other in task["predecessors"] if other not in value]:
            problems[name] = {"predecessors": [f"Task '{other}' does not exist." for other in unknown]}
    if not problems and (circle := circular(found)):
        problems[circle] = {"predecessors": ["Tasks must not depend on each other in a circle."]}
    if problems:
        raise InvalidError(problems)
    return found


def one(name: str, value: Any, row: int) -> dict[str, Any]:
    task = mapping(value)
    if not NAME.match(name) or name.endswith("null"):
        raise InvalidError({"name": [f"'{name}' is not a valid task name."]})
    problems: dict[str, Any] = {}
    if "action" not in task:
        problems["action"] = ["This field is required."]
    if task.get("name") not in (None, name):
        problems["name"] = [f"Must be the task's key '{name}'."]
    try:
        given = each(CHECKS, task)
    except InvalidError as wrong:
        assert isinstance(wrong.details, dict)
        problems |= wrong.details
    if problems:
        raise InvalidError(problems)
    # The server fills these in, which is where clients see drift (facts: dynatrace-api 5.2, TF#579).
    return {
        "description": "",
        "input": {},
        "active": True,
        "predecessors": [],
        "conditions": {},
        "withItems": None,
        "concurrency": 1,
        "retry": None,
        **given,
        "name": name,
        "position": given["position"] if "position" in given else {"x": 0, "y": row + 1},
    }


def action(value: Any) -> str:
    if not isinstance(value, str) or not ACTION.match(value):
        raise InvalidError("Must have the form 'app:action'.")
    return value


def active(value: Any) -> bool:
    if isinstance(value, str):
        raise not_simulated("An expression for 'active'")
    checked: bool = flag(value)
    return checked


def position(value: Any) -> dict[str, Any] | None:
    # null is accepted and makes SDK reads crash in scripts (facts: dynatrace-api 5.2), so it is kept as it came.
    if value is None:
        return None
    given = each({"x": number, "y": number}, mapping(value))
    if missing := {"x", "y"} - given.keys():
        raise InvalidError({name: ["This field is required."] for name in sorted(missing)})
    return given


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidError("A valid number is required.")
    return value


def predecessors(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidError("Expected a list of task names.")
    return value


def conditions(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    return each(
        {
            "states": lambda states: {
                name: choice(*CONDITION_STATES)(state) for name, state in mapping(states or {}).items()
            },
            "custom": only_empty("A custom condition"),
            "else": choice("SKIP", "STOP"),
        },
        mapping(value),
    )


def retry(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    given = mapping(value)
    if "count" not in given:
        raise InvalidError({"count": ["This field is required."]})
    checked = each(
        {"count": only_empty("Retrying a task"), "delay": whole(0, 3600), "failedLoopIterationsOnly": flag}, given
    )
    return {"delay": 0, "failedLoopIterationsOnly": True, **checked}


CHECKS = {
    "action": action,
    "description": nullable(text()),
    "input": lambda value: mapping(value or {}),
    "active": active,
    "position": position,
    "customSampleResult": lambda value: value,
    "predecessors": predecessors,
    "conditions": conditions,
    "withItems": only_empty("A loop (withItems)"),
    "concurrency": whole(1, 99),
    "retry": retry,
    "timeout": whole(1, MOST_SECONDS),
    "waitBefore": only_empty("Waiting before a task (waitBefore)"),
}


def circular(tasks: dict[str, Any]) -> str | None:
    """The name of a task that waits for itself, if there is one."""
    waiting = {name: set(task["predecessors"]) for name, task in tasks.items()}
    while free := [name for name, others in waiting.items() if not others & waiting.keys()]:
        for name in free:
            del waiting[name]
    return next(iter(waiting), None)
