"""What the run ledger claims: which stretches of time were read to their end, and up to where records are due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..ledger import Run

OVERLAP = timedelta(minutes=5)
"""How late a record may become visible and still be found by the next run (``overlap`` in workflow_src/sync.js)."""
LAG = timedelta(seconds=60)
"""How new records are when a run leaves them to the next one (``lag`` there)."""
RUN = timedelta(minutes=2)
"""What a run may take; the platform kills it then."""

Stretch = tuple[datetime, datetime]


def by_clock(now: datetime, interval: timedelta) -> datetime:
    """What is older must have arrived whatever the ledger says: a dead connector reads nothing and owes it."""
    return now - (interval + LAG + OVERLAP + RUN)


@dataclass
class Coverage:
    """Built run by run, oldest first; keeps stretches, not runs."""

    by_clock: datetime
    runs: int = 0
    failed: int = 0
    sent: int = 0
    set_aside: int = 0
    high_water: datetime | None = None
    """Up to where the schedule's runs have read."""
    stretches: list[Stretch] = field(default_factory=list)

    @classmethod
    def of(cls, runs: Iterable[Run], by_clock: datetime) -> Coverage:
        made = cls(by_clock)
        for run in runs:
            made.add(run)
        return made

    def add(self, run: Run) -> None:
        if run.outcome == "skipped":
            return
        self.runs += 1
        self.failed += run.outcome == "failed"
        self.sent += run.sent
        self.set_aside += run.set_aside
        if run.covered_from is None or run.covered_to is None:
            return
        self._join(run.covered_from, run.covered_to)
        if not run.backfill:
            self.high_water = max(self.high_water or run.covered_to, run.covered_to)

    def _join(self, begin: datetime, end: datetime) -> None:
        kept = []
        for a, b in self.stretches:
            if b < begin or a > end:
                kept.append((a, b))
            else:
                begin, end = min(a, begin), max(b, end)
        self.stretches = sorted([*kept, (begin, end)])

    @property
    def due_before(self) -> datetime:
        """Records older than this must be in Grail: read by a run already, or overdue."""
        return max(self.high_water - OVERLAP, self.by_clock) if self.high_water else self.by_clock

    @property
    def is_behind(self) -> bool:
        """Whether the schedule should have reached further by now."""
        return self.high_water is None or self.high_water < self.by_clock

    def holes(self, begin: datetime, end: datetime) -> list[Stretch]:
        """Stretches of a time that no run has read to the end; what is newer than ``due_before`` is none."""
        end = min(end, self.due_before)
        found, at = [], begin
        for a, b in self.stretches:
            if b <= at:
                continue
            if a >= end:
                break
            if a > at:
                found.append((at, a))
            at = b
        if at < end:
            found.append((at, end))
        return found
