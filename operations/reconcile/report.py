"""The result for people (a table), for auditors (JSON) and for the shell (commands that resend what is missing)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .. import moments
from .compare import MOST_NAMED, Window
from .coverage import Coverage, Stretch

MOST_IDS_A_COMMAND = 50
NEAR = timedelta(hours=2)
"""Missing records less than this apart are resent by one run."""
SECOND = timedelta(seconds=1)


@dataclass
class Report:
    """Grows window by window; keeps counts and the IDs that differ."""

    stack: str
    scm_url: str
    begin: datetime
    end: datetime
    coverage: Coverage
    windows: list[Window] = field(default_factory=list)
    stopped: str = ""
    """Why the comparison stopped early."""

    def total(self, name: str) -> int:
        return sum(getattr(window, name) for window in self.windows)

    @property
    def holes(self) -> list[Stretch]:
        return self.coverage.holes(self.begin, self.end)

    def touched(self, window: Window) -> bool:
        """Whether no run has read some part of the window completely."""
        return any(a < window.end and b > window.begin for a, b in self.holes)

    @property
    def missing(self) -> int:
        return self.total("unproven")

    @property
    def complete(self) -> bool:
        """A gap in the ledger alone is no loss: its records were looked for in Grail like all others."""
        return not self.missing and not self.stopped

    @property
    def verdict(self) -> str:
        late = self.total("late")
        waiting = (
            f"; {late} newer {'record is' if late == 1 else 'records are'} waiting for the next run" if late else ""
        )
        if self.stopped:
            return f"NOT COMPARED after {moments.iso(self.compared_to)}: {self.stopped}"
        if self.missing:
            unclear = " or cannot be compared" if self.total("unreadable_nameless") else ""
            return f"INCOMPLETE: {self.missing} of {self.total('scm')} records are missing{unclear}{waiting}"
        if not self.total("equal"):
            return f"COMPLETE: SCM has no records due in this time range{waiting}"
        return f"COMPLETE: all {self.total('equal')} SCM records due so far are in Dynatrace{waiting}"

    @property
    def compared_to(self) -> datetime:
        return self.windows[-1].end if self.windows else self.begin

    def repairs(self) -> list[str]:
        """Commands that resend missing records and the ranges that no run vouches for, oldest first."""
        # If not every missing record is listed by its ID, resend the whole window.
        whole = [(window.begin, window.end) for window in self.windows if window.unproven > len(window.missing)]
        spans = joined([*whole, *self.holes])
        groups: list[list[tuple[datetime, str]]] = []
        for at, id in [found for window in self.windows for found in window.missing]:
            if any(a <= at < b for a, b in spans):
                continue
            if groups and at - groups[-1][-1][0] <= NEAR:
                groups[-1].append((at, id))
            else:
                groups.append([(at, id)])
        commands = [(begin, self._backfill(begin, end)) for begin, end in spans]
        for group in groups:
            ids = [id for _, id in group]
            plain = all(id.replace("-", "").replace("_", "").isalnum() for id in ids)
            named = f" IDS={','.join(ids)}" if len(ids) <= MOST_IDS_A_COMMAND and plain else ""
            commands.append((group[0][0], self._backfill(group[0][0], group[-1][0]) + named))
        return [command for _, command in sorted(commands)]

    def _backfill(self, begin: datetime, end: datetime) -> str:
        """One second more at both ends, as SCM may or may not include its bounds."""
        since, until = moments.floor(begin) - SECOND, moments.floor(end) + 2 * SECOND
        return f"make backfill STACK={self.stack} FROM={moments.iso(since)} TO={moments.iso(until)}"

    def shown(self) -> dict[str, Any]:
        """The JSON report."""
        return {
            "stack": self.stack,
            "scm": self.scm_url,
            "from": moments.iso(self.begin),
            "to": moments.iso(self.end),
            "complete": self.complete,
            "verdict": self.verdict,
            "dueBefore": moments.iso(self.coverage.due_before),
            "comparedTo": moments.iso(self.compared_to),
            "totals": {
                "scm": self.total("scm"),
                "equal": self.total("equal"),
                "late": self.total("late"),
                "missing": self.missing,
                "foreign": self.total("foreign_count"),
                "repeats": self.total("repeats"),
            },
            "ledger": {
                "runs": self.coverage.runs,
                "failed": self.coverage.failed,
                "sent": self.coverage.sent,
                "readTo": moments.iso(self.coverage.high_water) if self.coverage.high_water else None,
                "setAside": self.coverage.set_aside,
                "notRead": [{"from": moments.iso(a), "to": moments.iso(b)} for a, b in self.holes],
            },
            "windows": [{**window.shown(), "notRead": self.touched(window)} for window in self.windows],
            "repair": self.repairs(),
        }

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.shown(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def text(self) -> str:
        """The table, the IDs that differ, and what to do next."""
        head = (
            f"{'window (UTC)':<33} {'in SCM':>7} {'equal':>7} {'late':>6} {'missing':>7} {'foreign':>7} {'repeats':>7}"
        )
        lines = [head, "-" * len(head)]
        shown = [window for window in self.windows if window.scm or window.foreign_count or self.touched(window)]
        for window in shown:
            line = row(f"{moments.short(window.begin)} to {moments.short(window.end)[5:]}", window)
            lines.append(f"{line}  not fully read by any run" if self.touched(window) else line)
        empty = len(self.windows) - len(shown)
        if empty:
            lines.append(f"windows without records (not shown): {empty}")
        lines += ["-" * len(head), self._totals(), ""]
        for window in self.windows:
            lines += [f"missing  {moments.iso(at)}  {id}" for at, id in window.missing]
            lines += cut("missing", window.missing_count - len(window.missing))
            lines += cut("missing, without an ID", window.nameless_missing)
            lines += [f"missing  {id} (unparseable time)" for id in window.unreadable_missing[:MOST_NAMED]]
            lines += cut("missing, unparseable time", len(window.unreadable_missing) - MOST_NAMED)
            lines += cut("neither a valid time nor an ID, cannot be compared", window.unreadable_nameless)
            arrived = [id for id in window.unreadable if id not in window.unreadable_missing]
            lines += [f"arrived  {id} (unparseable time)" for id in arrived[:MOST_NAMED]]
            lines += cut("arrived, unparseable time", len(arrived) - MOST_NAMED)
            lines += [f"foreign  {id} (in Dynatrace, not in SCM)" for id in window.foreign]
            lines += cut("foreign", window.foreign_count - len(window.foreign))
        ledger = self.coverage
        lines.append(
            f"Ledger: {moments.count(ledger.runs, 'run')} ({ledger.failed} failed), {ledger.sent} sent, "
            f"{ledger.set_aside} skipped as invalid"
        )
        lines += [f"  not fully read by any run: {moments.iso(a)} to {moments.iso(b)}" for a, b in self.holes]
        if ledger.is_behind:
            reached = f"nothing newer than {moments.iso(ledger.high_water)}" if ledger.high_water else "nothing"
            lines += [
                f"  scheduled runs have read {reached}, but should have reached {moments.iso(ledger.by_clock)}.",
                f"  Check make status STACK={self.stack} first; the next successful run sends newer records by itself.",
            ]
        lines.append(self.verdict)
        if repairs := self.repairs():
            lines += ["To resend missing records and unread ranges:", *(f"  {command}" for command in repairs)]
        return "\n".join(lines)

    def _totals(self) -> str:
        names = ("scm", "equal", "late", "unproven", "foreign_count", "repeats")
        return f"{'total':<33} " + " ".join(f"{self.total(name):>{7 - (name == 'late')}}" for name in names)


def row(title: str, window: Window) -> str:
    return (
        f"{title:<33} {window.scm:>7} {window.equal:>7} {window.late:>6} {window.unproven:>7} "
        f"{window.foreign_count:>7} {window.repeats:>7}"
    )


def joined(spans: list[Stretch]) -> list[Stretch]:
    """Joins spans that touch or overlap."""
    found: list[Stretch] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def cut(what: str, count: int) -> list[str]:
    return [f"{what}: {count} more"] if count > 0 else []
