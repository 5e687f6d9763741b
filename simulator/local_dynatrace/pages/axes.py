"""Axes: which values and times get a tick, and how they are written. Ticks are round; times are UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from ..kernel.clock import MICROSECONDS

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR_S, 2 * HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S,
    DAY_S, 2 * DAY_S, 7 * DAY_S, 14 * DAY_S, 28 * DAY_S,
)  # fmt: skip
MOST_TIMES, MOST_VALUES = 7, 4
LEAST = 1e-9
"""Smaller values are drawn as 0."""
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
DURATIONS = ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
"""Seconds of each unit, and its name."""


def step_s(span_s: float, most: int) -> int:
    """A round step in seconds that divides a span into at most so many parts."""
    for step in STEPS_S:
        if span_s / step <= most:
            return step
    return math.ceil(span_s / most / STEPS_S[-1]) * STEPS_S[-1]


def times(from_us: int, to_us: int, most: int = MOST_TIMES) -> list[tuple[int, str]]:
    """(time, label) of the ticks within a span; midnights carry their date."""
    step_us = step_s((to_us - from_us) / MICROSECONDS, most) * MICROSECONDS
    first = -(-from_us // step_us) * step_us
    return [(at, time_label(at, step_us)) for at in range(first, to_us + 1, step_us)]


def time_label(at_us: int, step_us: int) -> str:
    at = datetime.fromtimestamp(at_us // MICROSECONDS, UTC)
    if at_us % (DAY_S * MICROSECONDS) == 0:
        return at.strftime("%-d %b")
    return at.strftime("%H:%M:%S" if step_us < MINUTE_S * MICROSECONDS else "%H:%M")


def values(lowest: float, highest: float, *, whole: bool) -> list[float]:
    """Ticks from 0 (or below) to at least the highest value; whole numbers where the values are."""
    low, high = min(0.0, lowest), max(0.0, highest)
    rough = (high - low) / MOST_VALUES
    if rough < LEAST:
        low, high, rough = 0.0, 1.0, 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    if whole:
        step = max(1.0, float(math.ceil(step)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, max(last, first + 1) + 1)]


def number(value: float) -> str:
    """``1.5k``, ``20``, ``0.25``: as short as a tick needs it."""
    for size, prefix in PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.4g}{prefix}"
    return f"{value:.4g}"


def duration_unit(highest_s: float) -> tuple[float, str]:
    """The unit in which a duration of this many seconds is easy to read, and its name."""
    return next(((size, name) for size, name in DURATIONS if abs(highest_s) >= 2 * size), DURATIONS[-1])
