"""Charts of values over time, as geometry for an SVG: computed here, drawn by templates/charts.html.

Shapes have coordinates of a square of 1000 by 1000, which the browser stretches; ticks and the strips that show values
have percentages. One kind of chart serves dashboards, the log page and the overview.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..kernel.clock import MICROSECONDS
from . import axes
from .render import moment

SIDE = 1000.0
Kind = Literal["line", "area", "bar"]
MOST_SERIES = 12
COLOURS = 8
GAP = 0.14
"""Of a bar's width."""
MEANINGS = {
    "error": "bad", "failed": "bad", "failure": "bad", "fail": "bad", "severe": "bad", "critical": "bad",
    "warn": "warn", "warning": "warn", "not stated": "faint", "none": "faint", "unknown": "faint",
    "info": "calm", "ok": "calm", "success": "calm", "succeeded": "calm", "successful": "calm",
}  # fmt: skip
"""Names that have a colour of their own, the same in every chart."""


@dataclass(frozen=True)
class Series:
    name: str
    values: Sequence[float | None]
    """One for each interval; None where there is none."""
    total: str = ""
    """Shown beside the name."""


def chart(
    series: Sequence[Series],
    from_us: int,
    step_us: int,
    kind: Kind,
    *,
    unit: str = "",
    most_times: int = axes.MOST_TIMES,
) -> dict[str, Any] | None:
    """Geometry of series over intervals of one length; None if there is nothing to draw.

    Bars are stacked; lines and areas are not. Of many series the largest are drawn, and ``more`` counts the others.
    """
    shown = sorted(series, key=weight, reverse=True)[:MOST_SERIES] if len(series) > MOST_SERIES else list(series)
    count = max((len(each.values) for each in shown), default=0)
    if count == 0:
        return None
    present = [value for each in shown for value in each.values if value is not None]
    heights = stacked_heights(shown, count) if kind == "bar" else present
    ticks = axes.values(min(heights, default=0), max(heights, default=0), whole=all(v == int(v) for v in present))
    scale = Scale(ticks[0], ticks[-1], count)
    colours = colours_of([each.name for each in shown])
    to_us = from_us + count * step_us
    return {
        "kind": kind,
        "unit": unit,
        "label": label(shown, from_us, to_us, max(present, default=None), unit),
        "key": [(each.name, colour, each.total) for each, colour in zip(shown, colours, strict=True)],
        "more": len(series) - len(shown),
        "y": [{"at": scale.y(tick) / SIDE * 100, "text": axes.number(tick), "base": tick == 0} for tick in ticks],
        "x": [
            {"at": round((at - from_us) / (to_us - from_us) * 100, 2), "text": text}
            for at, text in axes.times(from_us, to_us, most_times)
        ],
        "shapes": bars(shown, colours, scale) if kind == "bar" else lines(shown, colours, scale, kind),
        "strips": strips(shown, from_us, step_us, count),
    }


@dataclass(frozen=True)
class Scale:
    low: float
    high: float
    count: int

    def y(self, value: float) -> float:
        return round(SIDE * (self.high - value) / (self.high - self.low), 2)

    def x(self, place: float) -> float:
        return round(SIDE * place / self.count, 2)


def weight(series: Series) -> float:
    return sum(abs(value) for value in series.values if value is not None)


def at(series: Series, place: int) -> float | None:
    return series.values[place] if place < len(series.values) else None


def stacked_heights(series: Sequence[Series], count: int) -> list[float]:
    """The top and the bottom of each stack."""
    found = []
    for place in range(count):
        values = [value for each in series if (value := at(each, place)) is not None]
        found += [sum(v for v in values if v > 0), sum(v for v in values if v < 0)]
    return found


def bars(series: Sequence[Series], colours: Sequence[str], scale: Scale) -> list[dict[str, Any]]:
    shapes = []
    for place in range(scale.count):
        up = down = 0.0
        for each, colour in zip(series, colours, strict=True):
            value = at(each, place)
            if not value:
                continue
            start, end = (up, up + value) if value > 0 else (down, down + value)
            up, down = (end, down) if value > 0 else (up, end)
            top, bottom = sorted((scale.y(start), scale.y(end)))
            shapes.append(
                {
                    "colour": colour, "x": scale.x(place + GAP / 2), "width": scale.x(1 - GAP), "y": top,
                    "height": round(bottom - top, 2),
                }
            )  # fmt: skip
    return shapes


def lines(series: Sequence[Series], colours: Sequence[str], scale: Scale, kind: Kind) -> list[dict[str, Any]]:
    """A path for each series; a missing value leaves a gap, and a value alone is a dot (a line of no length)."""
    base = scale.y(0)
    shapes: list[dict[str, Any]] = []
    for each, colour in zip(series, colours, strict=True):
        runs: list[list[tuple[float, float]]] = [[]]
        for place, value in enumerate(each.values):
            if value is None:
                runs.append([])
            else:
                runs[-1].append((scale.x(place + 0.5), scale.y(value)))
        drawn = [points if len(points) > 1 else points * 2 for points in runs if points]
        path = " ".join("M" + " L".join(f"{x} {y}" for x, y in points) for points in drawn)
        area = " ".join(
            f"M{points[0][0]} {base} " + " ".join(f"L{x} {y}" for x, y in points) + f" L{points[-1][0]} {base} Z"
            for points in drawn
        )
        shapes.append({"colour": colour, "path": path, "area": area if kind == "area" else ""})
    return shapes


def strips(series: Sequence[Series], from_us: int, step_us: int, count: int) -> list[dict[str, Any]]:
    """An invisible strip over each interval that holds a value, which shows its values."""
    found = []
    for place in range(count):
        values = [(each.name, value) for each in series if (value := at(each, place)) is not None]
        if any(value for _, value in values) or len(values) == 1:
            said = ", ".join(f"{name} {plain(value)}" for name, value in values if value or len(values) == 1)
            begin = moment(from_us + place * step_us)
            found.append(
                {"x": round(place / count * 100, 3), "width": round(100 / count, 3), "title": f"{begin} UTC: {said}"}
            )
    return found


def colours_of(names: Sequence[str]) -> list[str]:
    """Names with a meaning have its colour; the others take turns."""
    turns = itertools.cycle(range(COLOURS))
    return [MEANINGS.get(name.lower()) or f"c{next(turns)}" for name in names]


def label(series: Sequence[Series], from_us: int, to_us: int, highest: float | None, unit: str) -> str:
    """The chart in a sentence, for those who cannot see it."""
    names = ", ".join(each.name for each in series)
    most = f"; highest value {plain(highest)}{f' {unit}' if unit else ''}" if highest is not None else "; no values"
    return f"{names} from {moment(from_us)} to {moment(to_us)} UTC{most}"


def plain(value: float) -> str:
    return f"{value:,.6g}".replace(",", "\u202f") if abs(value) < 1e6 else axes.number(value)


def step_us(span_us: int, most: int) -> int:
    """A round interval, in microseconds, for at most so many bars."""
    return axes.step_s(span_us / MICROSECONDS, most) * MICROSECONDS
