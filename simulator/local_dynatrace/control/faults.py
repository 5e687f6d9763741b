"""Fault rules from JSON: every member is checked, as a rule that never matches would look like a passed test."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from ..kernel import earlier
from ..kernel.fault_answers import WITHOUT_BODY
from ..kernel.faults import Rule
from ..kernel.routing import RouteTable
from ..kernel.world import World
from .checks import refused

HINTS = get_type_hints(Rule)
TICK = {"tick", "path", "nth", "times", "probability", "seed", "note"}
EFFECTS = ("status", "cut", "delay_s", "truncate", "script", "headers", "strip_headers", "gzip", "stale", "tick")
METHODS = ("*", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
DAY_S = 86_400
RANGES: dict[str, tuple[float, float]] = {
    "status": (200, 599), "delay_s": (0, DAY_S), "probability": (0, 1), "nth": (1, 10**9), "times": (0, 10**9),
    "truncate": (0, 10**9), "seed": (-(2**63), 2**63),
}  # fmt: skip
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What HTTP takes as a header's name."""
FIELD_VALUE = re.compile(r"(?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?")
FRAMING = ("content-length", "transfer-encoding")
"""Headers that the server writes itself; to break the connection, use ``cut`` or ``truncate``."""


def add(world: World, table: RouteTable, values: Any) -> Rule:
    """Add a rule. Raises a 400 that names every member that is wrong."""
    if not isinstance(values, dict):
        raise refused(400, "A fault rule is a JSON object.")
    problems = [problem for name, value in values.items() if (problem := wrong(name, value, table))]
    if problems := problems or contradictions(values):
        raise refused(400, "; ".join(problems) + ".")
    return world.faults.add(values)


def contradictions(values: dict[str, Any]) -> list[str]:
    """What is wrong with the combination of valid members."""
    problems = []
    if not any(values.get(effect) for effect in EFFECTS):
        problems.append(f"the rule does nothing: give one of {', '.join(EFFECTS)}")
    if values.get("stale") and values.get("api", "*") not in ("*", *earlier.APIS):
        problems.append(f"stale: only for {', '.join(earlier.APIS)}")
    if values.get("tick") and (others := sorted({*values} - TICK)):
        problems.append(f"tick: a moment of a schedule has no {', '.join(others)}")
    if values.get("status") in WITHOUT_BODY and values.get("body") is not None:
        problems.append(f"body: an answer {values['status']} has none")
    return problems


def wrong(name: str, value: Any, table: RouteTable) -> str | None:
    """What is wrong with one member of a rule."""
    known = [field.name for field in fields(Rule)]
    if name not in known:
        return f"{name}: unknown (known: {', '.join(known)})"
    hint = HINTS[name]
    choices = [choice for part in (hint, *get_args(hint)) for choice in get_args(part) if isinstance(choice, str)]
    if choices:
        optional = value is None and type(None) in get_args(hint)
        return None if value in choices or optional else f"{name}: expected one of {', '.join(choices)}"
    match name:
        case "body":
            return None
        case "strip_headers":
            return wrong_names(value)
        case "headers":
            return wrong_headers(value)
        case "api" if value not in (apis := ["*", *table.by_api()]):
            return f"api: expected one of {', '.join(apis)}"
        case "method" if not isinstance(value, str) or value.upper() not in METHODS:
            return f"method: expected one of {', '.join(METHODS)}"
    allowed = tuple(part for part in (hint, *get_args(hint)) if isinstance(part, type))
    if float in allowed:
        allowed = (*allowed, int)
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        return f"{name}: expected {' or '.join(part.__name__.replace('NoneType', 'null') for part in allowed)}"
    if isinstance(value, int | float) and (allowed_range := RANGES.get(name)):
        least, most = allowed_range
        return None if least <= value <= most else f"{name}: expected {least} to {most}"
    return None


def wrong_headers(value: Any) -> str | None:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return "headers: expected an object of strings"
    if problem := wrong_names([*value], "headers"):
        return problem
    bad = [name for name, text in value.items() if not FIELD_VALUE.fullmatch(text)]
    return f"headers: {bad[0]}: no value that HTTP could carry" if bad else None


def wrong_names(value: Any, member: str = "strip_headers") -> str | None:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return f"{member}: expected a list of strings"
    for name in value:
        if not TOKEN.fullmatch(name):
            return f"{member}: {name!r} is not a header name"
        if name.lower() in FRAMING:
            return f"{member}: {name} is written by the server itself (see cut and truncate)"
    return None
