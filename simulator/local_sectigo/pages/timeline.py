"""The pictures of the connector page: lanes on one scale of time, as geometry for SVGs of 1000 by 100.

Computed here, drawn by templates/lanes.html; stretched by the browser, so there are only bars and areas in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.pages.render import duration, moment, thousands

from .delivery import Delivery
from .ledger import Run

WIDTH = 1000.0
SLOTS = 72
NARROWEST, WIDEST = 3.0, 14.0
KINDS = ("delivered", "waiting", "late", "missing", "extra")
"""From the bottom of a bar to its top."""
WORDS = {
    "delivered": "In the logs", "waiting": "Waiting", "late": "Came too late", "missing": "Missing",
    "extra": "Further copies",
}  # fmt: skip
HEIGHTS = {"good": 55, "busy": 55, "skipped": 20, "bad": 100}


@dataclass(frozen=True)
class Scale:
    """A span of time, in microseconds."""

    from_us: int
    to_us: int

    def x(self, at_us: int) -> float:
        part = (at_us - self.from_us) / max(1, self.to_us - self.from_us)
        return round(WIDTH * min(1.0, max(0.0, part)), 1)

    def labels(self) -> list[str]:
        """Five times below the lanes."""
        span = self.to_us - self.from_us
        letters = slice(5, 16) if span > 86_400 * MICROSECONDS else slice(11, 16)
        return [moment(self.from_us + span * part // 4)[letters] for part in range(5)]


def silences(runs: Sequence[Run], scale: Scale, interval_s: float | None, since_us: int) -> list[dict[str, Any]]:
    """Gaps of more than two intervals in which no run began, from ``since_us`` (when the schedule was set) on."""
    if interval_s is None:
        return []
    begins = [max(scale.from_us, since_us), *(run.started_us for run in runs), scale.to_us]
    found = []
    for before, after in pairwise(begins):
        gap_s = (after - before) / MICROSECONDS
        if gap_s > 2 * interval_s:
            x = scale.x(before)
            found.append(
                {
                    "x": x, "width": round(scale.x(after) - x, 1), "seconds": gap_s,
                    "title": f"Silence: no run began for {duration(gap_s)} from {moment(before)}",
                }
            )  # fmt: skip
    return found


def lag(runs: Sequence[Run], scale: Scale, covered_us: int | None) -> dict[str, Any] | None:
    """An area: it grows with the time and falls when a run has covered more. ``covered_us``: before these runs."""
    points: list[tuple[int, float]] = [] if covered_us is None else [(scale.from_us, scale.from_us - covered_us)]
    for run in runs:
        at_us = run.ended_us
        if run.covered_us is None or at_us is None:
            continue
        if covered_us is not None:
            points.append((at_us, at_us - covered_us))
        covered_us = max(run.covered_us, covered_us or run.covered_us)
        points.append((at_us, at_us - covered_us))
    if covered_us is None:
        return None
    points.append((scale.to_us, scale.to_us - covered_us))
    highest = max(1.0, *(value for _, value in points))
    line = " L".join(f"{scale.x(at)} {round(100 - 92 * max(0.0, value) / highest, 1)}" for at, value in points)
    first, last = scale.x(points[0][0]), scale.x(points[-1][0])
    return {
        "line": f"M{line}",
        "area": f"M{first} 100 L{line} L{last} 100 Z",
        "now_s": points[-1][1] / MICROSECONDS,
        "highest_s": highest / MICROSECONDS,
    }


def work(runs: Sequence[Run], scale: Scale, interval_s: float | None) -> dict[str, Any]:
    """A bar a run: records sent, and below the line nothing. One giant (a first run) does not flatten the others."""
    sent = sorted(run.sent for run in runs)
    highest = sent[-1] if sent else 0
    usual = 2 * sent[len(sent) * 9 // 10] if len(sent) > 3 else highest
    cut = max(10, min(highest, usual)) if highest else 1
    width = bar_width(scale, interval_s)
    bars = []
    for run in runs:
        if not run.sent:
            continue
        x, at = place(run, scale, width), moment(run.started_us)
        height = 92.0 * min(run.sent, cut) / cut
        old = height * run.clamped / run.sent
        bars.append(bar("sent", x, width, 100 - height + old, 100, f"{at}: {thousands(run.sent)} records sent"))
        if run.clamped:
            bars.append(bar("clamped", x, width, 100 - height, 100 - height + old, f"{at}: older than 24 h"))
        if run.sent > cut:
            bars.append(bar("cut", x, width, 14, 19, f"{at}: cut off"))
    return {"bars": bars, "highest": highest, "cut": highest > cut, "clamped": any(run.clamped for run in runs)}


def bar(kind: str, x: float, width: float, top: float, bottom: float, title: str) -> dict[str, Any]:
    return {
        "kind": kind, "x": x, "width": width, "y": round(top, 1), "height": round(bottom - top, 1), "title": title,
    }  # fmt: skip


def marks(runs: Sequence[Run], scale: Scale, interval_s: float | None) -> list[dict[str, Any]]:
    """A mark a run, by how it ended; by height too, for people who cannot tell the colours apart."""
    width = bar_width(scale, interval_s)
    return [
        {
            "kind": run.kind, "x": place(run, scale, width), "width": width, "height": HEIGHTS[run.kind],
            "title": f"{moment(run.started_us)}: {run.word}{f': {run.line}' if run.kind == 'bad' and run.line else ''}",
        }
        for run in runs
    ]  # fmt: skip


def bar_width(scale: Scale, interval_s: float | None) -> float:
    usual = WIDTH * 0.7 * (interval_s or 600) * MICROSECONDS / max(1, scale.to_us - scale.from_us)
    return round(min(WIDEST, max(NARROWEST, usual)), 1)


def place(run: Run, scale: Scale, width: float) -> float:
    return round(min(WIDTH - width, max(0.0, scale.x(run.started_us) - width / 2)), 1)


def events(found: Delivery, scale: Scale) -> dict[str, Any]:
    """SCM's records by their own time, stacked by whether they arrived."""
    step = max(1, (scale.to_us - scale.from_us) // SLOTS)
    counted: Counter[tuple[int, str]] = Counter()
    for kind in KINDS:
        counted.update((min(SLOTS - 1, (at - scale.from_us) // step), kind) for at in getattr(found, kind))
    highest = max([1, *(sum(counted[slot, kind] for kind in KINDS) for slot in range(SLOTS))])
    bars = []
    for slot in range(SLOTS):
        top = 100.0
        for kind in KINDS:
            if number := counted[slot, kind]:
                height = 92 * number / highest
                x, title = slot * WIDTH / SLOTS + 1, f"{moment(scale.from_us + slot * step)}: {number} {kind}"
                bars.append(bar(kind, round(x, 1), round(WIDTH / SLOTS - 2, 1), top - height, top, title))
                top -= height
    totals = [(kind, WORDS[kind], len(getattr(found, kind))) for kind in KINDS]
    # What is never there needs no explanation; that nothing is missing is worth saying.
    return {"bars": bars, "totals": [each for each in totals if each[2] or each[0] in ("delivered", "missing")]}
