"""What the run ledger reports: which time ranges were read completely, and up to when records are due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..ledger import Run

OVERLAP = timedelta(minutes=5)
"""How late a record may become visible and still be found by the next run (``overlap`` in the sync script)."""
LAG = timedelta(seconds=60)
"""A run leaves records that are newer than this to the next run (``lag`` in the sync script)."""
RUN = timedelta(minutes=2)
"""The longest a run may take before the platform kills it."""

Stretch = tuple[datetime, datetime]


def by_clock(now: datetime, interval: timedelta) -> datetime:
    """Older records must have arrived, whatever the ledger reports: a stopped connector should have delivered them."""
    return now - (interval + LAG + OVERLAP + RUN)


@dataclass
class Coverage:
    """Built run by run, oldest first; keeps time ranges, not runs."""

    by_clock: datetime
    runs: int = 0
    failed: int = 0
    sent: int = 0
    set_aside: int = 0
    high_water: datetime | None = None
    """Up to when the scheduled runs have read."""
    stretches: list[Stretch] = field(default_factory=list)
    began_at: datetime | None = None
    """The oldest time that a scheduled run has covered."""
    began: datetime | None = None
    """Where the connector began to read, if that is known to be in the range: it owes nothing older."""

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
            self.began_at = min(self.began_at or run.covered_from, run.covered_from)
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
        """Records older than this must be in Grail: a run has read them, or they are overdue."""
        return max(self.high_water - OVERLAP, self.by_clock) if self.high_water else self.by_clock

    @property
    def is_behind(self) -> bool:
        """Whether the scheduled runs should have read further by now."""
        return self.high_water is None or self.high_water < self.by_clock

    def is_before_begin(self, at: datetime) -> bool:
        """Whether a record is older than anything that the connector had to read, backfills included."""
        return self.began is not None and at < self.began and not any(a <= at < b for a, b in self.stretches)

    def holes(self, begin: datetime, end: datetime) -> list[Stretch]:
        """Parts of a time range that no run has read completely, up to ``due_before``."""
        end = min(end, self.due_before)
        found, at = [], max(begin, self.began or begin)
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
