"""Variables of a dashboard: their choices, what is chosen, and how a query takes it (facts: dynatrace-api 11).

In a query ``$key`` stands for the chosen value as a string, ``array($key)`` for several, and ``$key:noquote`` for the
bare text. Nothing is replaced within strings and comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

ALL = "3420b2ac-f1cf-4b24-b62d-61ba1ba8ed05*"
"""The value that means all choices."""
PREFIX = "vfilter_"
TOKENS = re.compile(
    r'"""(?s:.*?)"""|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|//[^\n]*|/\*(?s:.*?)\*/|\$(?P<key>\w+)(?P<bare>:noquote)?'
)
Values = Callable[[str], Awaitable[list[str]]]
"""Runs the query of a variable; its values as text. Raises ValueError with what is wrong."""


@dataclass(frozen=True)
class Variable:
    key: str
    kind: str
    multiple: bool
    visible: bool
    choices: list[str]
    chosen: list[str]
    everything: bool
    """All choices are chosen, whichever there are."""
    problem: str = ""


async def read(content: dict[str, Any], given: list[tuple[str, str]], values: Values) -> list[Variable]:
    """The variables of a dashboard, with what the address of the page (``given``) chooses. A variable's query can use
    those before it."""
    found: list[Variable] = []
    for entry in content.get("variables") or []:
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            found.append(await one(entry, [v for k, v in given if k == PREFIX + entry["key"]], found, values))
    return found


async def one(entry: dict[str, Any], given: list[str], before: list[Variable], values: Values) -> Variable:
    kind, multiple, text = entry.get("type", ""), bool(entry.get("multiple")), str(entry.get("input") or "")
    problem, choices = "", list[str]()
    if kind == "csv":
        choices = [part.strip() for part in text.split(",") if part.strip()]
    elif kind == "query":
        try:
            choices = await values(filled(text, before))
        except ValueError as error:
            problem = str(error)
    elif kind != "text":
        problem = f"Variables of type {kind or '(none)'} are not part of the local environment."
    default = entry.get("defaultValue")
    wanted = given or [str(each) for each in (default if isinstance(default, list) else [default or ""])]
    # What Dynatrace chooses where there is no default is UNVERIFIED; all is the most useful here.
    everything = multiple and (ALL in wanted or wanted == [""])
    if kind == "text":
        chosen = wanted[:1]
    elif everything:
        chosen = choices
    else:
        chosen = [each for each in wanted if each in choices][: None if multiple else 1]
        if not chosen and not multiple:
            chosen = choices[:1]
    return Variable(
        entry["key"], kind, multiple, entry.get("visible") is not False, choices, chosen, everything, problem
    )


def filled(query: str, variables: list[Variable]) -> str:
    """A query with the chosen values in place of its variables; unknown names stay, and DQL refuses them."""
    known = {variable.key: variable for variable in variables}

    def value(match: re.Match[str]) -> str:
        variable = known.get(match["key"] or "")
        if variable is None:
            return match[0]
        if match["bare"]:
            return ", ".join(variable.chosen)
        return ", ".join(json.dumps(each, ensure_ascii=False) for each in variable.chosen)

    return TOKENS.sub(value, query)
