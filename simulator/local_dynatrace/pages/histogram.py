"""A chart of records over time by severity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..kernel.clock import MICROSECONDS
from . import charts
from .render import thousands

LEVELS = ("ERROR", "WARN", "INFO", "NONE")
"""From the bottom of a bar to its top."""
BARS = 60


def chart(
    records: Iterable[tuple[int, str]], from_us: int | None = None, to_us: int | None = None
) -> dict[str, Any] | None:
    """Bars for (time in microseconds, status) pairs; None without any."""
    pairs = [(at_us, status if status in LEVELS else "NONE") for at_us, status in records]
    if not pairs:
        return None
    first = min(at for at, _ in pairs) if from_us is None else from_us
    last = max(at for at, _ in pairs) if to_us is None else to_us
    step = charts.step_us(last - first, BARS)
    begin = first // step * step
    count = (last - begin) // step + 1
    counted = Counter(((at - begin) // step, status) for at, status in pairs)
    totals = Counter(status for _, status in pairs)
    series = [
        charts.Series(level.capitalize(), [counted[slot, level] for slot in range(count)], thousands(totals[level]))
        for level in LEVELS
        if totals[level]
    ]
    return charts.chart(series, begin, step, "bar", unit=f"records per {words(step // MICROSECONDS)}")


def words(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            number = seconds // size
            return name if number == 1 else f"{number} {name}s"
    raise AssertionError(seconds)
