"""One window: which IDs are on both sides, late, missing or foreign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import moments

MOST_NAMED = 1000
"""IDs that a window lists; further ones are only counted."""


@dataclass
class Window:
    """``begin`` is included, ``end`` is not."""

    begin: datetime
    end: datetime
    scm: int = 0
    """Records in SCM, including those without an ID."""
    equal: int = 0
    late: int = 0
    """Not in Dynatrace yet, and not due: the next run sends them."""
    early: int = 0
    """Not in Dynatrace, and older than what the connector was ever asked for: not missing."""
    missing: list[tuple[datetime, str]] = field(default_factory=list)
    missing_count: int = 0
    foreign: list[str] = field(default_factory=list)
    foreign_count: int = 0
    repeats: int = 0
    """Copies in Grail beyond the first of each id."""
    nameless_scm: int = 0
    """Due records without an ID. The sync script derives one from their content, so they can only be counted here."""
    nameless_grail: int = 0
    nameless_late: int = 0
    """The same, not due: not looked for in Grail."""
    nameless_early: int = 0
    """The same, older than what the connector was asked for: not looked for in Grail."""
    unreadable: list[str] = field(default_factory=list)
    """IDs of records whose time cannot be parsed; they count as ``equal`` if Grail has them."""
    unreadable_missing: list[str] = field(default_factory=list)
    unreadable_nameless: int = 0
    """Records with neither a valid time nor an ID: they cannot be compared."""

    @property
    def nameless_missing(self) -> int:
        return max(0, self.nameless_scm - self.nameless_grail)

    @property
    def unproven(self) -> int:
        """Records that are missing or cannot be compared."""
        return self.missing_count + self.nameless_missing + len(self.unreadable_missing) + self.unreadable_nameless

    @property
    def complete(self) -> bool:
        return not self.unproven

    def shown(self) -> dict[str, Any]:
        """For the JSON report."""
        return {
            "from": moments.iso(self.begin),
            "to": moments.iso(self.end),
            "scm": self.scm,
            "equal": self.equal,
            "late": self.late,
            "beforeStart": self.early,
            "missing": [id for _, id in self.missing],
            "missingCount": self.missing_count,
            "foreign": self.foreign,
            "foreignCount": self.foreign_count,
            "repeats": self.repeats,
            "withoutId": {"due": self.nameless_scm, "grail": self.nameless_grail, "late": self.nameless_late},
            "unreadableTime": {
                "ids": self.unreadable,
                "missing": self.unreadable_missing,
                "withoutId": self.unreadable_nameless,
            },
        }


def compare(
    window: Window,
    scm: Mapping[str, datetime],
    grail: Mapping[str, int],
    due_before: datetime,
    is_early: Callable[[datetime], bool] = lambda at: False,
) -> Window:
    """Fill in a window from both sides.

    Args:
        scm: time by ID.
        grail: copies by ID, of this window's records.
        due_before: records older than this must have arrived.
        is_early: whether the connector was never asked for records of this time.
    """
    window.scm = len(scm) + window.nameless_scm + window.nameless_late + window.nameless_early
    window.scm += len(window.unreadable) + window.unreadable_nameless
    window.equal += min(window.nameless_scm, window.nameless_grail)
    window.late += window.nameless_late
    window.early += window.nameless_early
    for id in window.unreadable:
        if id in grail:
            window.equal += 1
            window.repeats += grail[id] - 1
        else:
            window.unreadable_missing.append(id)
    for id, at in scm.items():
        if id in grail:
            window.equal += 1
            window.repeats += grail[id] - 1
        elif at >= due_before:
            window.late += 1
        elif is_early(at):
            window.early += 1
        else:
            window.missing_count += 1
            if len(window.missing) < MOST_NAMED:
                window.missing.append((at, id))
    foreign = grail.keys() - scm.keys() - set(window.unreadable)
    window.foreign_count, window.foreign = len(foreign), sorted(foreign)[:MOST_NAMED]
    window.missing.sort()
    return window
