"""When a schedule starts its workflow: pure functions of the schedule and two moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..kernel.clock import MICROSECONDS
from . import cron

MINUTE_US = 60 * MICROSECONDS


def following(schedule: dict[str, Any], anchor_us: int, after_us: int) -> int | None:
    """The first tick after a moment; None if there is none any more.

    An interval is counted from ``anchor_us``, the moment it was activated (UNVERIFIED: the platform's alignment).
    """
    trigger, zone = schedule["trigger"], ZoneInfo(schedule["timezone"])
    after = datetime.fromtimestamp(after_us / MICROSECONDS, UTC)
    match trigger["type"]:
        case "interval":
            step = int(trigger["intervalMinutes"]) * MINUTE_US
            return anchor_us + max(1, (after_us - anchor_us) // step + 1) * step
        case "time":
            at = time.fromisoformat(trigger["time"])
            today = after.astimezone(zone).date()
            return first_after(after, [moment(today + timedelta(days=n), at, zone) for n in range(3)])
        case "once":
            once = datetime.fromisoformat(trigger["at"])
            return first_after(after, [moment(once.date(), once.time(), zone)])
        case _:
            return next_of_cron(cron.parse(trigger["cron"]), after, zone)


def next_of_cron(expression: cron.Cron, after: datetime, zone: ZoneInfo) -> int | None:
    times = [time(*at) for at in expression.times()]
    for day in expression.days_from(after.astimezone(zone).date()):
        if found := first_after(after, [moment(day, at, zone) for at in times]):
            return found
    return None


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local time in UTC; one that a change to summer time skips falls after the change."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def first_after(after: datetime, moments: list[datetime]) -> int | None:
    return next((int(each.timestamp()) * MICROSECONDS for each in sorted(moments) if each > after), None)


def upcoming(schedule: dict[str, Any], now_us: int, count: int) -> list[int]:
    """The next ticks of a schedule that is activated now."""
    found: list[int] = []
    while len(found) < count:
        tick = following(schedule, now_us, found[-1] if found else now_us)
        if tick is None:
            break
        found.append(tick)
    return found
