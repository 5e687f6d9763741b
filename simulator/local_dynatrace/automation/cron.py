"""Cron expressions of five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
NAMES = {
    3: ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    4: ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
PART = re.compile(r"(?:(\*)|(\d+)(?:-(\d+))?)(?:/(\d+))?\Z")


@dataclass(frozen=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """Day of month and day of week are both given: a day that matches one of them counts (as in crontab(5))."""

    def on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday

    def times(self) -> list[tuple[int, int]]:
        return [(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)]

    def days_from(self, day: date) -> Iterator[date]:
        """The matching days of the next eight years (29 February comes round in that time)."""
        return (other for other in (day + timedelta(days=n) for n in range(8 * 366)) if self.on(other))


def parse(text: str) -> Cron:
    """Raises ValueError with a sentence about the first wrong field."""
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(f"A cron expression has five fields, '{text}' has {len(parts)}.")
    minutes, hours, days, months, weekdays = (numbers(part, index) for index, part in enumerate(parts))
    return Cron(
        minutes, hours, days, months, frozenset(day % 7 for day in weekdays),
        not parts[2].startswith("*") and not parts[4].startswith("*"),
    )  # fmt: skip


def numbers(text: str, index: int) -> frozenset[int]:
    name, least, most = FIELDS[index]
    found: set[int] = set()
    plain = text.lower()
    for number, word in enumerate(NAMES.get(index, ()), start=1 if index == 3 else 0):
        plain = plain.replace(word, str(number))
    for part in plain.split(","):
        match = PART.match(part)
        if not match:
            raise ValueError(f"'{text}' is not understood as {name} of a cron expression.")
        star, first, last, step = match.groups()
        low = least if star else int(first)
        high = most if star or (step and not last) else int(last or first)
        if not least <= low <= high <= most or step == "0":
            raise ValueError(f"'{text}' is out of range for the {name} of a cron expression ({least} to {most}).")
        found.update(range(low, high + 1, int(step or 1)))
    return frozenset(found)
