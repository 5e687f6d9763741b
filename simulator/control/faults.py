"""Fault rules from JSON: every member is checked, as a rule that never matches would look like a passed test."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

from ..kernel import earlier
from ..kernel.faults import Rule
from ..kernel.world import World
from .checks import refused

HINTS = get_type_hints(Rule)
TICK = {"tick", "path", "nth", "times", "probability", "seed", "note"}
EFFECTS = ("status", "cut", "delay_s", "truncate", "script", "headers", "strip_headers", "gzip", "stale", "tick")


def add(world: World, values: Any) -> Rule:
    if not isinstance(values, dict):
        raise refused(400, "A fault rule is a JSON object.")
    problems = [problem for name, value in values.items() if (problem := wrong(name, value))]
    if not problems and not any(values.get(effect) for effect in EFFECTS):
        problems.append(f"the rule does nothing: give one of {', '.join(EFFECTS)}")
    if values.get("stale") and values.get("api", "*") not in ("*", *earlier.APIS):
        problems.append(f"stale: only for {', '.join(earlier.APIS)}")
    if values.get("tick") and (others := sorted({*values} - TICK)):
        problems.append(f"tick: a moment of a schedule has no {', '.join(others)}")
    if problems:
        raise refused(400, "; ".join(problems) + ".")
    return world.faults.add(values)


def wrong(name: str, value: Any) -> str | None:
    """What is wrong with one member of a rule."""
    known = [field.name for field in fields(Rule)]
    if name not in known:
        return f"{name}: unknown (known: {', '.join(known)})"
    hint = HINTS[name]
    choices = [choice for part in (hint, *get_args(hint)) for choice in get_args(part) if isinstance(choice, str)]
    if choices:
        optional = value is None and type(None) in get_args(hint)
        return None if value in choices or optional else f"{name}: expected one of {', '.join(choices)}"
    if name == "body":
        return None
    if name == "strip_headers":
        names = isinstance(value, list) and all(isinstance(text, str) for text in value)
        return None if names else "strip_headers: expected a list of strings"
    if name == "headers":
        texts = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
        return None if texts else "headers: expected an object of strings"
    allowed = tuple(part for part in (hint, *get_args(hint)) if isinstance(part, type))
    if float in allowed:
        allowed = (*allowed, int)
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        return f"{name}: expected {' or '.join(part.__name__.replace('NoneType', 'null') for part in allowed)}"
    if isinstance(value, int | float) and value < (1 if name == "nth" else 0) and name != "seed":
        return f"{name}: too small"
    return None
