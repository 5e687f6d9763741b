"""DQL's functions of time. All time zones are UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ...kernel import rfc3339
from .functions import dql
from .values import NUMBERS, SECOND, UNITS, Duration, Timeframe, Timestamp, Value, duration, long, moment


@dql("toTimestamp", 1)
def to_timestamp(value: Value) -> Timestamp | None:
    """From RFC 3339 text (UTC if it names no zone, midnight if it names no time) or from nanoseconds."""
    if isinstance(value, Timestamp):
        return value
    if type(value) is int:
        return moment(value)
    if not isinstance(value, str):
        return None
    text = value.strip().replace(" ", "T", 1)
    try:
        return moment(rfc3339.parse_ns(text + "T00:00" if len(text) == 10 else text, offset_required=False))
    except ValueError:
        return None


@dql("toDuration", 1)
def to_duration(value: Value) -> Duration | None:
    if isinstance(value, Duration):
        return value
    if type(value) in NUMBERS:
        return duration(value)
    match = re.fullmatch(r"(-?[0-9]{1,18})(ns|us|ms|s|m|h|d|w)", value) if isinstance(value, str) else None
    return duration(int(match.group(1)) * UNITS[match.group(2)]) if match else None


@dql("duration", 1, named={"unit": "ns"})
def duration_(value: Value, *, unit: Value) -> Duration | None:
    return duration(value * UNITS[unit]) if type(value) in NUMBERS and unit in UNITS else None


@dql("timestamp", 3, 7)
def timestamp(*parts: Value) -> Timestamp | None:
    """``timestamp(year, month, day, hour, minute, second)``."""
    if any(type(part) is not int for part in parts):
        return None
    try:
        year, month, day, hour, minute, second, nano = (*parts, 0, 0, 0, 0)[:7]
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return moment(int(at.timestamp()) * SECOND + nano)
    except (ValueError, OverflowError):
        return None


@dql("timeframe", 0, named={"from": None, "to": None}, strict=False)
def timeframe(**bounds: Value) -> Timeframe | None:
    low, high = bounds["from"], bounds["to"]
    return Timeframe(low, high) if isinstance(low, Timestamp) and isinstance(high, Timestamp) else None


_FORMAT = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "DDD": "%j", "EEEE": "%A", "EEE": "%a",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "a": "%p", "XXX": "Z", "X": "Z", "VV": "Z", "z": "UTC",
}  # fmt: skip
_WITHOUT_ZERO = {"M": "%m", "d": "%d", "H": "%H", "h": "%I", "m": "%M", "s": "%S"}


@dql("formatTimestamp", 1, named={"format": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSX"})
def format_timestamp(value: Value, *, format: Value) -> str | None:
    """Java's pattern letters; unsupported letters are kept."""
    if not isinstance(value, Timestamp) or not isinstance(format, str):
        return None
    at = datetime.fromtimestamp(int(value) // SECOND, UTC)

    def part(match: re.Match[str]) -> str:
        text = match.group()
        if text.startswith("'"):
            return text[1:-1] or "'"
        if text[0] == "S":
            return f"{int(value) % SECOND:09d}".ljust(len(text), "0")[: len(text)]
        if text in _WITHOUT_ZERO:
            return at.strftime(_WITHOUT_ZERO[text]).lstrip("0") or "0"
        return at.strftime(_FORMAT[text]) if text in _FORMAT else text

    return re.sub(r"'[^']*'|([A-Za-z])\1*", part, format)


def _part(name: str, pattern: str) -> None:
    @dql(name, 1)
    def get(value: Value) -> int | None:
        if not isinstance(value, Timestamp):
            return None
        return int(datetime.fromtimestamp(int(value) // SECOND, UTC).strftime(pattern))


for _name, _pattern in {
    "getYear": "%Y", "getMonth": "%m", "getDayOfMonth": "%d", "getDayOfYear": "%j", "getDayOfWeek": "%u",
    "getWeekOfYear": "%V", "getHour": "%H", "getMinute": "%M", "getSecond": "%S",
}.items():  # fmt: skip
    _part(_name, _pattern)


def _unix(name: str, size: int) -> None:
    @dql(f"unix{name}FromTimestamp", 1)
    def out(value: Value) -> int | None:
        return long(int(value) // size) if isinstance(value, Timestamp) else None

    @dql(f"timestampFromUnix{name}", 1)
    def back(value: Value) -> Timestamp | None:
        return moment(value * size) if type(value) is int else None


for _name, _size in {"Seconds": SECOND, "Millis": 1_000_000, "Nanos": 1}.items():
    _unix(_name, _size)
