"""Checks of a whole workflow body, and what a new workflow holds where the body says nothing."""

from __future__ import annotations

from typing import Any

from .checks import InvalidError, choice, each, flag, mapping, nullable, only_empty, text, uuid_text, whole
from .errors import invalid
from .task_checks import JAVASCRIPT, tasks
from .trigger_checks import trigger

HOURLY_EXECUTIONS = 1000
"""Default and upper bound of ``hourlyExecutionLimit`` (facts: dynatrace-runtime 1)."""

DEFAULTS: dict[str, Any] = {
    "description": "",
    "tasks": {},
    "taskDefaults": {},
    "trigger": {},
    "isDeployed": True,
    "isPrivate": True,
    "ownerType": "USER",
    "type": "STANDARD",
    "schemaVersion": 3,
    "input": {},
    "result": None,
    "guide": None,
    "hourlyExecutionLimit": HOURLY_EXECUTIONS,
}


def throttle(value: Any) -> dict[str, Any]:
    given = mapping(value or {})
    if given.get("isLimitHit") not in (None, False):
        raise InvalidError({"isLimitHit": ["Only false is accepted, which resets the limit."]})
    return given


CHECKS = {
    "title": text(200, blank=False),
    "description": text(),
    "tasks": tasks,
    "taskDefaults": only_empty("A default for all tasks (taskDefaults)"),
    "trigger": trigger,
    "isDeployed": flag,
    "isPrivate": flag,
    "owner": uuid_text,
    "ownerType": choice("USER", "GROUP"),
    "actor": nullable(uuid_text),
    "type": choice("STANDARD", "SIMPLE"),
    "schemaVersion": whole(1, 99),
    "input": lambda value: mapping(value or {}),
    "result": only_empty("A result expression of the workflow"),
    "guide": nullable(text(10_000)),
    "hourlyExecutionLimit": nullable(whole(1, HOURLY_EXECUTIONS)),
    "throttle": throttle,
    "unacknowledgedSkippedScheduleAt": nullable(text()),
}


def checked(body: Any, former: dict[str, Any] | None) -> dict[str, Any]:
    """The members of a body that are set. Raises the 400 whose details mirror the body.

    ``former`` is the stored definition that an update starts from.
    """
    try:
        given = each({**CHECKS, **({"id": uuid_text} if former is None else {})}, mapping(body))
        if former is None and "title" not in given:
            raise InvalidError({"title": ["This field is required."]})
        simple({**DEFAULTS, **(former or {}), **given})
    except InvalidError as wrong:
        details = wrong.details if isinstance(wrong.details, dict) else {"nonFieldErrors": wrong.details}
        raise invalid(details) from None
    return given


def simple(definition: dict[str, Any]) -> None:
    """A simple workflow has one trigger and one task, which is no JavaScript (facts: alerting 4; texts UNVERIFIED)."""
    if definition["type"] != "SIMPLE":
        return
    if len(definition["tasks"]) > 1:
        raise InvalidError({"tasks": ["A simple workflow has one task at most."]})
    if len(definition["trigger"]) > 1:
        raise InvalidError({"trigger": ["A simple workflow has one trigger at most."]})
    if any(task["action"] == JAVASCRIPT for task in definition["tasks"].values()):
        raise InvalidError({"tasks": ["A simple workflow must not have a JavaScript task."]})
