"""Times, spans and counts as an operator writes and reads them. All times are in UTC, with their zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from providers import rules

BEFORE_NOW = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?", re.ASCII)


def parse(text: object) -> datetime | None:
    """A time as the stack config and the sync script read it; None if it is none."""
    try:
        return rules.moment(text) if isinstance(text, str) else None
    except ValueError:
        return None


def given(text: str, now: datetime) -> datetime:
    """A time from the command line: an ISO time, or a span before now (``2h``, ``5d12h``). Raises ValueError."""
    moment = parse(text)
    if moment is not None:
        return moment
    span = BEFORE_NOW.fullmatch(text.strip())
    days, hours, minutes = (int(part or 0) for part in span.groups()) if span else (0, 0, 0)
    try:
        if span and span.group():
            return now - timedelta(days=days, hours=hours, minutes=minutes)
    except OverflowError:  # before the year 1
        pass
    raise ValueError(f"{text!r} is not a valid time; use 2026-01-29T09:00:00Z, or 2h, 1d, 5d12h for a time before now")


def iso(moment: datetime) -> str:
    """``2026-01-29T09:44:11Z``, with six digits where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def short(moment: datetime) -> str:
    """``2026-01-29 09:44`` for tables."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def span(seconds: float) -> str:
    """``40 s``, ``12 min``, ``5 h 10 min``, ``3 days``."""
    whole = round(abs(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // 1440} days"


def count(number: int, thing: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(seconds)}"


def floor(moment: datetime, step: timedelta = timedelta(seconds=1)) -> datetime:
    """The last multiple of ``step`` since the epoch."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (moment - epoch) // step * step
