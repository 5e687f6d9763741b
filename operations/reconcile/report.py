"""The result for people (a table), for auditors (JSON) and for the shell (commands that resend what is missing)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from .. import moments
from .compare import Window
from .coverage import Coverage, Stretch

MOST_IDS_A_COMMAND = 50
FEW = 10
"""IDs of a kind that are shown on screen; the JSON has the others."""
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
    note: str = ""
    """What the reader must know before believing the verdict."""
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
            "connectorBegan": moments.iso(self.coverage.began) if self.coverage.began else None,
            "comparedTo": moments.iso(self.compared_to),
            "totals": {
                "scm": self.total("scm"),
                "equal": self.total("equal"),
                "late": self.total("late"),
                "beforeStart": self.total("early"),
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

    def text(self, json: str = "") -> str:
        """The verdict, what differs and what to do, then the table and the ledger's view.

        ``json``: the file that gets the whole report.
        """
        lines = [self.verdict, f"  {moments.iso(self.begin)} to {moments.iso(self.end)}, {self.scm_url}"]
        if early := self.total("early"):
            lines.append(
                f"  {moments.count(early, 'record')} in SCM not counted: older than where the connector began "
                f"({moments.iso(self.coverage.began or self.begin)})"
            )
        lines += [f"  {self.note}"] * bool(self.note)
        lines += self._differences(json)
        if repairs := self.repairs():
            title = (
                "Nothing is missing. To have a run read the ranges that no run has read to the end:"
                if self.complete
                else "To resend missing records and unread ranges:"
            )
            lines += ["", title, *(f"  {command}" for command in repairs)]
        return "\n".join([*lines, "", *self._table(), "", *self._ledger()])

    def _differences(self, json: str) -> list[str]:
        """The first few IDs of each kind, and how many there are."""
        kinds: dict[str, list[str]] = {
            "missing": [f"{moments.iso(at)}  {id}" for window in self.windows for at, id in window.missing],
            "missing (unparseable time)": [id for window in self.windows for id in window.unreadable_missing],
            "arrived (unparseable time)": [
                id for window in self.windows for id in window.unreadable if id not in window.unreadable_missing
            ],
            "foreign (in Dynatrace, not in SCM)": [id for window in self.windows for id in window.foreign],
        }
        counts = {
            "missing": self.total("missing_count"),
            "foreign (in Dynatrace, not in SCM)": self.total("foreign_count"),
        }
        lines: list[str] = []
        for kind, named in kinds.items():
            count = counts.get(kind, len(named))
            if not count:
                continue
            lines += ["", f"{kind}: {count}", *(f"  {text}" for text in named[:FEW])]
            if count > FEW:
                lines.append(f"  … and {count - FEW} more: {f'see {json}' if json else 'JSON=file writes their IDs'}")
        if nameless := self.total("nameless_missing"):
            lines += ["", f"missing, without an ID: {nameless}"]
        if lost := self.total("unreadable_nameless"):
            lines += ["", f"cannot be compared, neither a valid time nor an ID: {lost}"]
        return lines

    def _table(self) -> list[str]:
        """One row for each window; windows that follow each other and have nothing to compare are one row."""
        head = (
            f"{'window (UTC)':<33} {'in SCM':>7} {'equal':>7} {'late':>6} {'missing':>7} {'foreign':>7} {'repeats':>7}"
        )
        lines = [head, "-" * len(head)]
        for nothing, group in groupby(self.windows, self._nothing):
            windows = list(group)
            if nothing:
                lines.append(f"{span_of(windows[0].begin, windows[-1].end):<33} {nothing}")
                continue
            for window in windows:
                notes = ["not fully read by any run"] * self.touched(window)
                notes += [f"{window.early} before the connector began"] * bool(window.early)
                line = row(span_of(window.begin, window.end), window)
                lines.append(f"{line}  {'; '.join(notes)}".rstrip())
        return [*lines, "-" * len(head), self._totals()]

    def _nothing(self, window: Window) -> str:
        """Why there is nothing to compare in a window; empty if there is."""
        if window.scm > window.early or window.foreign_count or self.touched(window):
            return ""
        return "before the connector began" if window.early else "no records"

    def _ledger(self) -> list[str]:
        ledger = self.coverage
        lines = [
            f"Ledger: {moments.count(ledger.runs, 'run')} ({ledger.failed} failed), {ledger.sent} sent, "
            f"{ledger.set_aside} skipped as invalid"
        ]
        lines += [f"  not fully read by any run: {moments.iso(a)} to {moments.iso(b)}" for a, b in self.holes]
        if ledger.is_behind:
            reached = f"nothing newer than {moments.iso(ledger.high_water)}" if ledger.high_water else "nothing"
            lines += [
                f"  scheduled runs have read {reached}, but should have reached {moments.iso(ledger.by_clock)}.",
                f"  Check make status STACK={self.stack} first; the next successful run sends newer records by itself.",
            ]
        return lines

    def _totals(self) -> str:
        names = ("scm", "equal", "late", "unproven", "foreign_count", "repeats")
        return f"{'total':<33} " + " ".join(f"{self.total(name):>{7 - (name == 'late')}}" for name in names)


def span_of(begin: datetime, end: datetime) -> str:
    """``2026-01-29 05:00 to 01-29 09:00``."""
    return f"{moments.short(begin)} to {moments.short(end)[5:]}"


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
