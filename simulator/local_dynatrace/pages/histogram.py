"""A chart of records over time by severity, as geometry for an SVG: computed here, drawn by the template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..kernel.clock import MICROSECONDS
from .render import moment

LEVELS = ("ERROR", "WARN", "INFO", "NONE")
"""From the bottom of a bar to its top."""
BARS = 60
STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800)
BAR, GAP = 10, 2
MINUTE_US, DAY_US = 60 * MICROSECONDS, 86_400 * MICROSECONDS


def chart(
    records: Iterable[tuple[int, str]], from_us: int | None = None, to_us: int | None = None
) -> dict[str, Any] | None:
    """Bars for (time in microseconds, status) pairs; None without any."""
    pairs = [(at_us, status if status in LEVELS else "NONE") for at_us, status in records]
    if not pairs:
        return None
    first = min(at for at, _ in pairs) if from_us is None else from_us
    last = max(at for at, _ in pairs) if to_us is None else to_us
    step = step_us(last - first)
    begin = first // step * step
    count = (last - begin) // step + 1
    counted = Counter(((at - begin) // step, status) for at, status in pairs)
    highest = max(sum(counted[slot, level] for level in LEVELS) for slot in range(count))
    letters = slice(0, 16) if last - first > DAY_US else slice(11, 16) if step >= MINUTE_US else slice(11, 19)
    return {
        "width": count * BAR,
        "bars": [bar for slot in range(count) for bar in stacked(slot, begin + slot * step, counted, highest)],
        "labels": [moment(begin + count * part // 4 * step)[letters] for part in range(5)],
        "totals": [(level, n) for level in LEVELS if (n := sum(1 for _, status in pairs if status == level))],
        "caption": f"{len(pairs)} records, one bar per {words(step // MICROSECONDS)}, at most {highest}",
    }


def stacked(slot: int, at_us: int, counted: Counter[tuple[int, str]], highest: int) -> Iterable[dict[str, Any]]:
    top = 100.0
    for level in LEVELS:
        if number := counted[slot, level]:
            height = 100 * number / highest
            top -= height
            yield {
                "level": level,
                "x": slot * BAR + GAP / 2,
                "y": round(top, 2),
                "width": BAR - GAP,
                "height": round(height, 2),
                "title": f"{moment(at_us)}: {number} {level.lower()}",
            }


def step_us(span_us: int) -> int:
    return next((s for s in STEPS_S if span_us / (s * MICROSECONDS) <= BARS), STEPS_S[-1]) * MICROSECONDS


def words(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            number = seconds // size
            return name if number == 1 else f"{number} {name}s"
    raise AssertionError(seconds)
