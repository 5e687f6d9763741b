"""DQL's values in Python: which types there are, how they compare, what arithmetic gives.

Long is ``int``, double ``float``, string ``str``, boolean ``bool``, array ``list``, record ``dict``, null ``None``.
Null is contagious, and so is a comparison or an operation of types that do not go together: its result is null [D:
Grail refuses some of these when it can tell before the query runs].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ...kernel import rfc3339

Value = Any
Row = dict[str, Value]
SECOND = 1_000_000_000
UNITS = {
    "ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND,
    "d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND,
}  # fmt: skip
FIRST_NS = rfc3339.parse_ns("0001-01-02T00:00:00Z")
LAST_NS = rfc3339.parse_ns("9999-12-30T00:00:00Z")


class Timestamp(int):
    """Nanoseconds since the epoch."""


class Duration(int):
    """Nanoseconds."""


@dataclass(frozen=True)
class Timeframe:
    start: Timestamp
    end: Timestamp


KINDS: dict[type, str] = {
    bool: "boolean", int: "long", float: "double", str: "string", Timestamp: "timestamp", Duration: "duration",
    Timeframe: "timeframe", list: "array", dict: "record", type(None): "undefined",
}  # fmt: skip
NUMBERS = (int, float)
ORDERED = (bool, int, float, str, Timestamp, Duration)


def kind(value: Value) -> str:
    """The name of a value's type, as result metadata and ``type()`` give it."""
    return KINDS[type(value)]


def long(value: int) -> int | None:
    """A 64-bit number, or null if it does not fit [D]."""
    return value if -(2**63) <= value < 2**63 else None


def moment(ns: int) -> Timestamp | None:
    return Timestamp(ns) if FIRST_NS <= ns <= LAST_NS else None


def duration(ns: float) -> Duration | None:
    if not math.isfinite(ns):
        return None
    whole = long(round(ns))
    return None if whole is None else Duration(whole)


def equal(a: Value, b: Value) -> bool | None:
    if a is None or b is None:
        return None
    if type(a) is type(b) or (type(a) in NUMBERS and type(b) in NUMBERS):
        return bool(a == b)
    return None


def _ordered(test: Callable[[Value, Value], bool]) -> Callable[[Value, Value], bool | None]:
    def compare(a: Value, b: Value) -> bool | None:
        kind_a, kind_b = type(a), type(b)
        if (kind_a is kind_b and kind_a in ORDERED) or (kind_a in NUMBERS and kind_b in NUMBERS):
            return test(a, b)
        return None

    return compare


def _unequal(a: Value, b: Value) -> bool | None:
    same = equal(a, b)
    return None if same is None else not same


def add(a: Value, b: Value) -> Value:
    match a, b:
        case (Timestamp(), Duration()) | (Duration(), Timestamp()):
            return moment(int(a) + int(b))
        case Duration(), Duration():
            return duration(int(a) + int(b))
    return _arithmetic(a, b, lambda x, y: x + y)


def subtract(a: Value, b: Value) -> Value:
    match a, b:
        case Timestamp(), Timestamp():
            return duration(int(a) - int(b))
        case Timestamp(), Duration():
            return moment(int(a) - int(b))
        case Duration(), Duration():
            return duration(int(a) - int(b))
    return _arithmetic(a, b, lambda x, y: x - y)


def multiply(a: Value, b: Value) -> Value:
    if type(a) is Duration and type(b) in NUMBERS:
        return duration(int(a) * b)
    if type(b) is Duration and type(a) in NUMBERS:
        return duration(int(b) * a)
    return _arithmetic(a, b, lambda x, y: x * y)


def divide(a: Value, b: Value) -> Value:
    """Long by long drops the fraction (docs: dql-operators). Division by zero is null [D]."""
    if type(b) not in (int, float, Duration) or b == 0:
        return None
    if type(a) is Duration:
        return float(int(a) / int(b)) if type(b) is Duration else duration(int(a) / b)
    return _arithmetic(a, b, lambda x, y: _truncated(x, y) if type(x) is type(y) is int else x / y)


def modulo(a: Value, b: Value) -> Value:
    if type(b) not in (int, float, Duration) or b == 0:
        return None
    if type(a) is Duration and type(b) is Duration:
        return Duration(int(a) - int(b) * _truncated(int(a), int(b)))
    return _arithmetic(a, b, lambda x, y: x - y * _truncated(x, y) if type(x) is type(y) is int else math.fmod(x, y))


def negate(a: Value) -> Value:
    if type(a) is Duration:
        return duration(-int(a))
    return long(-a) if type(a) is int else -a if type(a) is float else None


def _truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _arithmetic(a: Value, b: Value, operation: Callable[[Any, Any], Any]) -> Value:
    if type(a) not in NUMBERS or type(b) not in NUMBERS:
        return None
    try:
        result = operation(a, b)
    except (OverflowError, ValueError):
        return None
    return long(result) if type(result) is int else result


OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "==": equal, "!=": _unequal,
    "<": _ordered(lambda a, b: a < b), "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b), ">=": _ordered(lambda a, b: a >= b),
    "+": add, "-": subtract, "*": multiply, "/": divide, "%": modulo,
}  # fmt: skip


# three-valued logic


def both(a: Value, b: Value) -> bool | None:
    if a is False or b is False:
        return False
    return True if a is True and b is True else None


def either(a: Value, b: Value) -> bool | None:
    if a is True or b is True:
        return True
    return False if a is False and b is False else None


def one_of_two(a: Value, b: Value) -> bool | None:
    return a is not b if type(a) is bool and type(b) is bool else None


def opposite(a: Value) -> bool | None:
    return not a if type(a) is bool else None


# order and identity over all types


_RANK = {"undefined": 0, "boolean": 1, "long": 2, "double": 2, "string": 3, "timestamp": 4, "duration": 5}


class Sortable:
    """A value with a place among all values: by type first. Null is the lowest; UNVERIFIED for Grail's ``sort``."""

    __slots__ = ("rank", "value")

    def __init__(self, value: Value) -> None:
        self.rank = _RANK.get(kind(value), 9)
        self.value = value if self.rank != 9 else identity(value)

    def __lt__(self, other: Sortable) -> bool:
        if self.rank != other.rank:
            return self.rank < other.rank
        return self.rank > 0 and bool(self.value < other.value)


def identity(value: Value) -> Any:
    """A hashable stand-in, equal for equal values of one type: for groups and ``dedup``."""
    match value:
        case str():
            return value
        case list():
            return ("array", *map(identity, value))
        case dict():
            return ("record", *sorted((key, repr(identity(each))) for key, each in value.items()))
        case _ if type(value) is float and value.is_integer():
            return ("long", int(value))
        case _:
            return (kind(value), str(value))


# time


def align(ns: int, unit: str, count: int) -> Timestamp | None:
    """The start of the unit (or of ``count`` units) that a moment is in, in UTC."""
    if unit in UNITS and unit != "w":
        size = UNITS[unit] * max(1, count)
        return moment(ns // size * size)
    if moment(ns) is None:
        return None
    day = datetime.fromtimestamp(ns // SECOND, UTC).replace(hour=0, minute=0, second=0)
    if unit.startswith("w"):
        first = int(unit[1:] or 1) % 7  # w1 is Monday, w0 and w7 are Sunday (docs: dql-operators)
        day -= timedelta((day.isoweekday() - first) % 7)
    elif unit == "M":
        day = day.replace(day=1)
    elif unit == "q":
        day = day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
    else:
        day = day.replace(day=1, month=1)
    return moment(int(day.timestamp()) * SECOND)
