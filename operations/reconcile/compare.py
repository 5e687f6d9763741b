"""One window: which ids are on both sides, late, missing or foreign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import moments

MOST_NAMED = 1000
"""Ids that a window lists; what is beyond is counted."""


@dataclass
class Window:
    """``begin`` is included, ``end`` is not."""

    begin: datetime
    end: datetime
    scm: int = 0
    """Records that SCM has, those without an id of their own included."""
    equal: int = 0
    late: int = 0
    """Not there yet, and newer than what the last finished run had to read: the next run brings them."""
    missing: list[tuple[datetime, str]] = field(default_factory=list)
    missing_count: int = 0
    foreign: list[str] = field(default_factory=list)
    foreign_count: int = 0
    repeats: int = 0
    """Copies in Grail beyond the first of each id."""
    nameless_scm: int = 0
    """Records without an id: the sync script gives them one of their content, so they can be counted only."""
    nameless_grail: int = 0

    @property
    def nameless_missing(self) -> int:
        return max(0, self.nameless_scm - self.nameless_grail)

    @property
    def complete(self) -> bool:
        return not self.missing_count and not self.nameless_missing

    def shown(self) -> dict[str, Any]:
        """For the JSON report."""
        return {
            "from": moments.iso(self.begin),
            "to": moments.iso(self.end),
            "scm": self.scm,
            "equal": self.equal,
            "late": self.late,
            "missing": [id for _, id in self.missing],
            "missingCount": self.missing_count,
            "foreign": self.foreign,
            "foreignCount": self.foreign_count,
            "repeats": self.repeats,
            "withoutId": {"scm": self.nameless_scm, "grail": self.nameless_grail},
        }


def compare(
    window: Window, scm: Mapping[str, datetime], grail: Mapping[str, int], due_before: datetime | None
) -> Window:
    """Fill in a window from both sides.

    Args:
        scm: time by id.
        grail: copies by id, of this window's records.
        due_before: records older than this must have arrived; None: no run has finished yet, so none is due.
    """
    window.scm = len(scm) + window.nameless_scm
    for id, at in scm.items():
        if id in grail:
            window.equal += 1
            window.repeats += grail[id] - 1
        elif due_before is None or at >= due_before:
            window.late += 1
        else:
            window.missing_count += 1
            if len(window.missing) < MOST_NAMED:
                window.missing.append((at, id))
    foreign = [id for id in grail if id not in scm]
    window.foreign_count, window.foreign = len(foreign), sorted(foreign)[:MOST_NAMED]
    window.missing.sort()
    return window
