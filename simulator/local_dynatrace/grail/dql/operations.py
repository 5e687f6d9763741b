"""What DQL computes with values: comparison, arithmetic, three-valued logic, alignment of time.

Null in gives null out, and so does an operation on types that do not match [D: Grail refuses some of these when it can
tell before the query runs].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from .values import NUMBERS, ORDERED, SECOND, UNITS, Duration, Timestamp, Value, duration, long, moment


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
