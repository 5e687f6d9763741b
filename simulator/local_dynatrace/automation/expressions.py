"""Expressions in the input of a task: Jinja, with the functions of the automation engine (facts: alerting 5).

``{{ event()["event.name"] }}``. What a function is not known here is refused by name; a field that is absent is an
empty text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..kernel.clock import iso
from ..kernel.store import Row
from ..kernel.world import World

Function = Callable[..., Any]
FAILURES = (
    TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What an expression can end with, whatever it says."""


class ExpressionError(Exception):
    """Why an expression has no value; a sentence. Texts UNVERIFIED."""


class Expressions:
    """Evaluates the expressions of one task."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = dict(functions)
        self._environment = ImmutableSandboxedEnvironment(keep_trailing_newline=True)

    def evaluated(self, value: Any) -> Any:
        """A value in which each text has its expressions replaced."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.evaluated(each) for each in value]
            case dict():
                return {name: self.evaluated(each) for name, each in value.items()}
        return value

    def text(self, template: str) -> str:
        try:
            unknown = meta.find_undeclared_variables(self._environment.parse(template)) - self._functions.keys()
            if unknown - {*self._environment.globals}:
                names = ", ".join(sorted(unknown))
                available = ", ".join(sorted(self._functions))
                raise ExpressionError(f"{names} is not part of the local environment. Available: {available}.")
            return self._environment.from_string(template).render(self._functions)
        except FAILURES as error:
            raise ExpressionError(f"The expression failed: {error}") from None


def of_task(world: World, execution: Row, task: Row) -> Expressions:
    """What expressions of a task can use."""
    params = json.loads(execution["params"])

    def event() -> Any:
        if "event" not in params:
            raise ExpressionError("event() needs an execution that an event has started.")
        return params["event"]

    def problem_link() -> str:
        return f"{world.url}/ui/apps/dynatrace.davis.problems/problem/{event().get('event.id', '')}"

    def result(name: str) -> Any:
        row = world.store.one(
            "SELECT result FROM task_executions WHERE execution = ? AND name = ?", execution["id"], name
        )
        if row is None:
            raise ExpressionError(f"There is no task {name}.")
        return json.loads(row["result"] or "null")

    shown = {
        "id": execution["id"],
        "title": execution["title"],
        "workflow": execution["workflow"],
        "started_at": iso(execution["started_us"]),
        "params": params,
        "input": json.loads(execution["input"]),
    }
    return Expressions(
        {
            "event": event,
            "execution": lambda: shown,
            "task": lambda: {"id": task["id"], "name": task["name"]},
            "environment": lambda: {"url": world.url, "id": world.store.meta("environment", "local")},
            "result": result,
            "input": lambda: shown["input"],
            "problem_link": problem_link,
            "now": world.clock.now,
        }
    )
