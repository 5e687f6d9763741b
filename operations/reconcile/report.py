"""What was found, for people (a table), for auditors (JSON) and for the shell (commands that repair)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .. import moments
from .compare import Window
from .coverage import Coverage, Stretch

MOST_IDS_A_COMMAND = 50
NEAR = timedelta(hours=2)
"""Holes closer than this are repaired by one run."""
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

    def total(self, name: str) -> int:
        return sum(getattr(window, name) for window in self.windows)

    @property
    def holes(self) -> list[Stretch]:
        return self.coverage.holes(self.begin, self.end)

    @property
    def missing(self) -> int:
        return self.total("missing_count") + self.total("nameless_missing")

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def verdict(self) -> str:
        late = self.total("late")
        waiting = f"; {late} newer records wait for the next run" if late else ""
        if self.missing:
            return f"INCOMPLETE: {self.missing} of {self.total('scm')} records are missing{waiting}"
        return f"COMPLETE: all {self.total('equal')} due records of SCM are in Dynatrace{waiting}"

    def repairs(self) -> list[str]:
        """Commands that send again what is missing, oldest first."""
        groups: list[list[tuple[datetime, str]]] = []
        for found in [found for window in self.windows for found in window.missing]:
            if groups and found[0] - groups[-1][-1][0] <= NEAR:
                groups[-1].append(found)
            else:
                groups.append([found])
        commands = []
        for group in groups:
            begin, end = moments.floor(group[0][0]) - SECOND, moments.floor(group[-1][0]) + 2 * SECOND
            command = f"make backfill STACK={self.stack} FROM={moments.iso(begin)} TO={moments.iso(end)}"
            ids = [id for _, id in group]
            plain = all(id.replace("-", "").replace("_", "").isalnum() for id in ids)
            commands.append(f"{command} IDS={','.join(ids)}" if len(ids) <= MOST_IDS_A_COMMAND and plain else command)
        return commands

    def shown(self) -> dict[str, Any]:
        """The JSON report."""
        return {
            "stack": self.stack,
            "scm": self.scm_url,
            "from": moments.iso(self.begin),
            "to": moments.iso(self.end),
            "complete": self.complete,
            "verdict": self.verdict,
            "dueBefore": moments.iso(self.coverage.due_before) if self.coverage.due_before else None,
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
                "setAside": self.coverage.set_aside,
                "notRead": [{"from": moments.iso(a), "to": moments.iso(b)} for a, b in self.holes],
            },
            "windows": [window.shown() for window in self.windows],
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
        for window in self.windows:
            if window.scm or window.foreign_count:
                lines.append(row(f"{moments.short(window.begin)} to {moments.short(window.end)[5:]}", window))
        empty = sum(1 for window in self.windows if not window.scm and not window.foreign_count)
        if empty:
            lines.append(f"windows without records, left out: {empty}")
        lines += ["-" * len(head), self._totals(), ""]
        for window in self.windows:
            lines += [f"missing  {moments.iso(at)}  {id}" for at, id in window.missing]
            lines += cut("missing", window.missing_count - len(window.missing))
            lines += cut("missing, without an id of their own", window.nameless_missing)
            lines += [f"foreign  {id} (in Dynatrace, not in SCM)" for id in window.foreign]
            lines += cut("foreign", window.foreign_count - len(window.foreign))
        ledger = self.coverage
        lines.append(
            f"Ledger: {ledger.runs} runs ({ledger.failed} failed), {ledger.sent} sent, {ledger.set_aside} set aside"
        )
        lines += [f"  not read to the end by any run: {moments.iso(a)} to {moments.iso(b)}" for a, b in self.holes]
        lines.append(self.verdict)
        if repairs := self.repairs():
            lines += ["To send them again:", *(f"  {command}" for command in repairs)]
        return "\n".join(lines)

    def _totals(self) -> str:
        names = ("scm", "equal", "late", "missing_count", "foreign_count", "repeats")
        return f"{'total':<33} " + " ".join(f"{self.total(name):>{7 - (name == 'late')}}" for name in names)


def row(title: str, window: Window) -> str:
    return (
        f"{title:<33} {window.scm:>7} {window.equal:>7} {window.late:>6} {window.missing_count:>7} "
        f"{window.foreign_count:>7} {window.repeats:>7}"
    )


def cut(what: str, count: int) -> list[str]:
    return [f"{what}: {count} more"] if count > 0 else []
