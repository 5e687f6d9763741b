"""The table of DQL's functions, and those that are about no type in particular.

A function is plain Python on values. ``strict`` (the default) means that null in gives null out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .operations import equal
from .values import NUMBERS, Duration, Timestamp, Value, duration, encode, kind, long, moment

MANY = 1_000


@dataclass(frozen=True)
class Function:
    call: Callable[..., Value]
    least: int
    most: int
    named: dict[str, Value] = field(default_factory=dict)
    """Optional parameters that are given by name, with their defaults."""
    strict: bool = True


FUNCTIONS: dict[str, Function] = {}


def dql(
    name: str, least: int, most: int | None = None, named: dict[str, Value] | None = None, *, strict: bool = True
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Enter a function into the table; ``least`` and ``most`` count its positional arguments."""

    def enter(call: Callable[..., Value]) -> Callable[..., Value]:
        FUNCTIONS[name] = Function(call, least, least if most is None else most, named or {}, strict)
        return call

    return enter


# presence and choice


@dql("isNull", 1, strict=False)
def is_null(value: Value) -> bool:
    return value is None


@dql("isNotNull", 1, strict=False)
def is_not_null(value: Value) -> bool:
    return value is not None


@dql("isTrueOrNull", 1, strict=False)
def is_true_or_null(value: Value) -> bool:
    return value is None or value is True


@dql("isFalseOrNull", 1, strict=False)
def is_false_or_null(value: Value) -> bool:
    return value is None or value is False


@dql("coalesce", 1, MANY, strict=False)
def coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


@dql("if", 2, named={"else": None}, strict=False)
def if_(condition: Value, then: Value, **named: Value) -> Value:
    return then if condition is True else named["else"]


@dql("in", 2, MANY, strict=False)
def in_(needle: Value, *haystack: Value) -> bool | None:
    """Whether the needle is one of the values; arrays among them count by their elements."""
    if needle is None:
        return None
    needles = needle if isinstance(needle, list) else [needle]
    for each in haystack:
        if type(needle) is str and isinstance(each, list) and needle in each:
            return True
        for value in each if isinstance(each, list) else (each,):
            if any(equal(one, value) for one in needles):
                return True
    return False


@dql("type", 1, strict=False)
def type_(value: Value) -> str:
    return kind(value)


# conversion


@dql("toString", 1)
def to_string(value: Value) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"))
    return str(encode(value))


@dql("toLong", 1)
def to_long(value: Value) -> int | None:
    if isinstance(value, str):
        try:
            return long(int(value.strip()))
        except ValueError:
            value = to_double(value)
    if isinstance(value, bool | int):
        return long(int(value))
    return long(int(value)) if isinstance(value, float) and math.isfinite(value) else None


@dql("toDouble", 1)
def to_double(value: Value) -> float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, bool | int | float) else None


@dql("toBoolean", 1)
def to_boolean(value: Value) -> bool | None:
    if isinstance(value, str):
        return value.lower() == "true"
    return bool(value) if type(value) in (bool, *NUMBERS) else None


# numbers


def _number(name: str, call: Callable[[Any], Any]) -> None:
    @dql(name, 1)
    def checked(value: Value) -> Value:
        if type(value) not in NUMBERS:
            return duration(abs(int(value))) if name == "abs" and type(value) is Duration else None
        try:
            result = call(value)
        except (ValueError, OverflowError):
            return None
        return long(result) if isinstance(result, int) else result


_UNARY: dict[str, Callable[[Any], Any]] = {
    "abs": abs,
    "ceil": lambda x: x if isinstance(x, int) else float(math.ceil(x)),
    "floor": lambda x: x if isinstance(x, int) else float(math.floor(x)),
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
}
for _name, _call in _UNARY.items():
    _number(_name, _call)


@dql("round", 1, named={"decimals": 0})
def round_(value: Value, *, decimals: Value) -> Value:
    """Halves go away from zero, unlike Python's."""
    if type(value) is int or type(decimals) is not int or type(value) is not float or not math.isfinite(value):
        return value if type(value) in NUMBERS else None
    factor = 10.0 ** max(-15, min(15, decimals))
    return math.copysign(math.floor(abs(value) * factor + 0.5) / factor, value) if abs(value) < 1e15 else value


@dql("power", 2)
def power(base: Value, exponent: Value) -> float | None:
    if type(base) not in NUMBERS or type(exponent) not in NUMBERS:
        return None
    try:
        result = math.pow(base, exponent)
    except (ValueError, OverflowError):
        return None
    return result


@dql("bin", 2, named={"at": None})
def bin_(value: Value, size: Value, *, at: Value) -> Value:
    """The lower border of the interval a value is in; ``at`` moves the borders."""
    if type(value) in (Timestamp, Duration):
        if type(size) is not Duration or size <= 0:
            return None
        offset = int(at) if type(at) in (Timestamp, Duration) else 0
        start = (int(value) - offset) // int(size) * int(size) + offset
        return moment(start) if type(value) is Timestamp else duration(start)
    if type(value) not in NUMBERS or type(size) not in NUMBERS or size <= 0 or not math.isfinite(value):
        return None
    offset = at if type(at) in NUMBERS else 0
    result = math.floor((value - offset) / size) * size + offset
    return long(result) if isinstance(result, int) else result
