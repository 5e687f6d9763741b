"""What was found, for people (a table), for auditors (JSON) and for the shell (commands that repair)."""

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
"""Missing records closer than this are sent again by one run."""
SECOND = timedelta(seconds=1)


@dataclass
class Report:
    """Grows window by window; keeps counts and the ids that differ."""

    stack: str
    scm_url: str
    begin: datetime
    end: datetime
    coverage: Coverage
    windows: list[Window] = field(default_factory=list)
    stopped: str = ""
    """Why the comparison ended before the end."""

    def total(self, name: str) -> int:
        return sum(getattr(window, name) for window in self.windows)

    @property
    def holes(self) -> list[Stretch]:
        return self.coverage.holes(self.begin, self.end)

    def touched(self, window: Window) -> bool:
        """Whether a part of the window was not read to its end by any run."""
        return any(a < window.end and b > window.begin for a, b in self.holes)

    @property
    def missing(self) -> int:
        return self.total("unproven")

    @property
    def complete(self) -> bool:
        """A hole alone is no loss: what SCM has for it was looked for in Grail, as for any other window."""
        return not self.missing and not self.stopped

    @property
    def verdict(self) -> str:
        late = self.total("late")
        waiting = f"; {late} newer records wait for the next run" if late else ""
        if self.stopped:
            return f"NOT COMPARED from {moments.iso(self.compared_to)} on: {self.stopped}"
        if self.missing:
            unclear = " or cannot be compared" if self.total("unreadable_nameless") else ""
            return f"INCOMPLETE: {self.missing} of {self.total('scm')} records are missing{unclear}{waiting}"
        return f"COMPLETE: all {self.total('equal')} due records of SCM are in Dynatrace{waiting}"

    @property
    def compared_to(self) -> datetime:
        return self.windows[-1].end if self.windows else self.begin

    def repairs(self) -> list[str]:
        """Commands that send again what is missing and read what no run answers for, oldest first."""
        # Where not every missing record has a name here, the whole window goes.
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
        """A second more at both ends, as SCM may or may not include its bounds."""
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
        """The table, the ids that differ, and what to do next."""
        head = (
            f"{'window (UTC)':<33} {'in SCM':>7} {'equal':>7} {'late':>6} {'missing':>7} {'foreign':>7} {'repeats':>7}"
        )
        lines = [head, "-" * len(head)]
        shown = [window for window in self.windows if window.scm or window.foreign_count or self.touched(window)]
        for window in shown:
            line = row(f"{moments.short(window.begin)} to {moments.short(window.end)[5:]}", window)
            lines.append(f"{line}  not read by any run" if self.touched(window) else line)
        empty = len(self.windows) - len(shown)
        if empty:
            lines.append(f"windows without records, left out: {empty}")
        lines += ["-" * len(head), self._totals(), ""]
        for window in self.windows:
            lines += [f"missing  {moments.iso(at)}  {id}" for at, id in window.missing]
            lines += cut("missing", window.missing_count - len(window.missing))
            lines += cut("missing, without an id of their own", window.nameless_missing)
            lines += [f"missing  {id} (its time is unreadable)" for id in window.unreadable_missing[:MOST_NAMED]]
            lines += cut("missing, its time is unreadable", len(window.unreadable_missing) - MOST_NAMED)
            lines += cut("neither a readable time nor an id, cannot be compared", window.unreadable_nameless)
            arrived = [id for id in window.unreadable if id not in window.unreadable_missing]
            lines += [f"arrived  {id} (its time is unreadable)" for id in arrived[:MOST_NAMED]]
            lines += cut("arrived, its time is unreadable", len(arrived) - MOST_NAMED)
            lines += [f"foreign  {id} (in Dynatrace, not in SCM)" for id in window.foreign]
            lines += cut("foreign", window.foreign_count - len(window.foreign))
        ledger = self.coverage
        lines.append(
            f"Ledger: {ledger.runs} runs ({ledger.failed} failed), {ledger.sent} sent, {ledger.set_aside} set aside"
        )
        lines += [f"  not read to the end by any run: {moments.iso(a)} to {moments.iso(b)}" for a, b in self.holes]
        if ledger.is_behind:
            reached = f"nothing newer than {moments.iso(ledger.high_water)}" if ledger.high_water else "nothing"
            lines += [
                f"  the schedule has read {reached}, and should have reached {moments.iso(ledger.by_clock)}:",
                f"  look at make status STACK={self.stack} first; its next good run brings what is newer by itself",
            ]
        lines.append(self.verdict)
        if repairs := self.repairs():
            lines += ["To send it again:", *(f"  {command}" for command in repairs)]
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
    """Spans that touch or overlap, as one."""
    found: list[Stretch] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def cut(what: str, count: int) -> list[str]:
    return [f"{what}: {count} more"] if count > 0 else []
