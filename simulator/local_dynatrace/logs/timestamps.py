"""Time of a record: which key holds it, which formats are read (LI, LJ)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ..kernel.rfc3339 import parse_ns

KEYS = (
    "timestamp", "@timestamp", "_timestamp", "eventtime", "date", "published_date", "syslog.timestamp", "time",
    "epochSecond", "startTime", "datetime", "ts", "timeMillis", "@t",
)  # fmt: skip
RFC3164 = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
NUMBER = re.compile(r"\d{1,19}(\.\d{1,9})?")
SECONDS_BELOW = 100_000_000_000
"""A smaller number is seconds (before the year 5138), a larger one milliseconds (after 1973) [D]; documented are
epoch milliseconds, and since 1.339 seconds with a fraction."""


def parse_us(value: Any, now_us: int) -> int | None:
    """Microseconds since the epoch; None for a format that ingest does not read. No zone means UTC."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return from_number(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if NUMBER.fullmatch(text):
        return from_number(float(text) if "." in text else int(text))
    try:
        return parse_ns(text, offset_required=False) // 1000
    except ValueError:
        return from_rfc3164(text, now_us)


def from_number(value: float) -> int | None:
    # Beyond any date that can be written (or not a number at all).
    if not 0 <= value < 1e15:
        return None
    return round(value * 1_000_000) if value < SECONDS_BELOW else round(value * 1000)


def from_rfc3164(text: str, now_us: int) -> int | None:
    """``Jan 29 08:00:00``: it names no year, so the one that brings it closest to now is meant [D]."""
    if not RFC3164.fullmatch(text):
        return None
    year = datetime.fromtimestamp(now_us / 1_000_000, UTC).year
    found = []
    for candidate in (year - 1, year, year + 1):
        try:
            moment = datetime.strptime(f"{candidate} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append(int(moment.timestamp()) * 1_000_000)
    return min(found, key=lambda us: abs(us - now_us), default=None)
