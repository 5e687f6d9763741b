"""RFC 3339 timestamps to the nanosecond, which neither ``datetime`` nor a float can hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime

PATTERN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d\d):(\d\d))?\Z", re.ASCII
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_ns(text: str, *, offset_required: bool = True) -> int:
    """Nanoseconds since the epoch. Raises ValueError with a sentence about what is wrong.

    Seconds may be left out; without an offset the time is UTC where ``offset_required`` is off.
    """
    match = PATTERN.match(text)
    if not match:
        raise ValueError("is not an RFC 3339 timestamp such as 2026-01-29T08:00:00Z")
    year, month, day, hour, minute, second, fraction, zulu, sign, offset_h, offset_m = match.groups()
    if offset_required and not (zulu or sign):
        raise ValueError("has no time zone offset (append Z for UTC)")
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"is not a date: {error}") from None
    if sign and (int(offset_h) > 23 or int(offset_m) > 59):
        raise ValueError("has an offset out of range")
    seconds = int((moment - EPOCH).total_seconds())
    if sign:
        seconds -= (1 if sign == "+" else -1) * (int(offset_h) * 3600 + int(offset_m) * 60)
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def from_us(us: int) -> str:
    """``2026-01-29T09:44:11.611092Z``: always six digits."""
    return _seconds(us // 1_000_000) + f".{us % 1_000_000:06d}Z"


def from_ns(ns: int) -> str:
    """``2026-01-29T08:00:00.000000000Z``: always nine digits, as Grail writes times."""
    return _seconds(ns // 1_000_000_000) + f".{ns % 1_000_000_000:09d}Z"


def _seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
