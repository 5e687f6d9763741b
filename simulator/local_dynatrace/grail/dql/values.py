"""DQL's values: their types in Python, their order and identity, and how they are written as JSON.

Long is ``int``, double ``float``, string ``str``, boolean ``bool``, array ``list``, record ``dict``, null ``None``.
``operations`` has what can be computed with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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


# wire form (facts: dynatrace-api 8)


def encode(value: Value) -> Any:
    """A value as JSON. A long is a string, as is a duration in nanoseconds."""
    match value:
        case None | bool() | str():
            return value
        case Timestamp():
            return rfc3339.from_ns(int(value))
        case Duration() | int():
            return str(int(value))
        case float():
            return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
        case list():
            return [encode(each) for each in value]
        case dict():
            return {str(name): encode(each) for name, each in value.items()}
        case Timeframe():
            return {"start": encode(value.start), "end": encode(value.end)}
    raise AssertionError(value)


def type_of(value: Value) -> dict[str, Any]:
    described: dict[str, Any] = {"type": kind(value)}
    if isinstance(value, list):
        described["types"] = types_of([{"element": each} for each in value])
    elif isinstance(value, dict):
        described["types"] = types_of([value])
    return described


def types_of(records: list[dict[str, Value]]) -> list[dict[str, Any]]:
    """Runs of records whose fields have the same types; a field that is missing or null fits any type."""
    runs: list[dict[str, Any]] = []
    mappings: dict[str, Any] = {}
    start = 0
    for index, record in enumerate(records):
        own = {str(name): type_of(value) for name, value in record.items()}
        merged = _merge(mappings, own)
        if merged is None:
            runs.append({"indexRange": [start, index - 1], "mappings": mappings})
            start, merged = index, own
        mappings = merged
    if records:
        runs.append({"indexRange": [start, len(records) - 1], "mappings": mappings})
    return runs


def _merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    merged = dict(one)
    for name, described in other.items():
        known = merged.get(name)
        if known is None or known["type"] == "undefined":
            merged[name] = described
        elif described["type"] != "undefined" and described != known:
            return None
    return merged
