"""Goes through a time range, window by window, with at most one window's IDs in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from providers.api.environment import Environment

from ..scm import Scm
from . import grail
from .compare import Window, compare
from .grail import TooManyError

WINDOW = timedelta(hours=1)
MOST_IDS = 20_000
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Sides:
    """``due_before``: records older than this must be in Grail. ``most_ids``: kept in memory at once, per side.

    ``is_early``: whether the connector was never asked for records of this time.
    """

    scm: Scm
    environment: Environment
    due_before: datetime
    most_ids: int = MOST_IDS
    is_early: Callable[[datetime], bool] = lambda at: False
    only: Set[str] | None = None
    """IDs of the records to look at; None: all."""
    unreadable: set[str] = field(default_factory=set)
    """IDs of records without a valid time that were already reported: SCM may list one in several windows."""


def windows(
    sides: Sides, begin: datetime, end: datetime, length: timedelta = WINDOW, only: Set[str] | None = None
) -> Iterator[Window]:
    """Compared windows, in order. A window with too many records is split in two, repeatedly.

    ``only``: look at records with these IDs and at no others.
    """
    sides = replace(sides, only=only) if only is not None else sides
    at = begin
    while at < end:
        until = min(end, at + length)
        yield from split(sides, at, until)
        at = until


def split(sides: Sides, begin: datetime, end: datetime) -> Iterator[Window]:
    try:
        yield one(sides, begin, end)
    except TooManyError:
        half = begin + max(SECOND, (end - begin) / 2 // SECOND * SECOND)
        if half >= end:  # one second cannot be split; it is compared as a whole
            yield one(replace(sides, most_ids=10**9), begin, end)
            return
        yield from split(sides, begin, half)
        yield from split(sides, half, end)


def one(sides: Sides, begin: datetime, end: datetime) -> Window:
    """Raises TooManyError."""
    window = Window(begin, end)
    ids: dict[str, datetime] = {}
    unreadable: dict[str, None] = {}
    # One second more at both ends: Sectigo does not document whether the bounds are included.
    for page in sides.scm.pages(begin - SECOND, end + SECOND):
        for record in page:
            if sides.only is not None and record.id not in sides.only:
                continue
            if record.at is None:
                # Its window is unknown; it counts in the first one in which SCM lists it.
                if not record.id:
                    window.unreadable_nameless += 1
                elif record.id not in sides.unreadable:
                    unreadable[record.id] = None
            elif not begin <= record.at < end:
                continue
            elif record.id:
                ids[record.id] = record.at
            elif sides.is_early(record.at):
                window.nameless_early += 1
            elif record.at < sides.due_before:
                window.nameless_scm += 1
            else:
                window.nameless_late += 1
        if len(ids) + len(unreadable) > sides.most_ids:
            raise TooManyError
    found = grail.in_window(sides.environment, begin, end, sides.most_ids)
    sides.unreadable.update(unreadable)
    window.unreadable = list(unreadable)
    elsewhere = [id for id in (*ids, *unreadable) if id not in found.copies]
    if elsewhere:
        found.copies |= grail.by_id(sides.environment, elsewhere, begin)
    window.nameless_grail = sum(at < sides.due_before for at in found.nameless)
    if window.nameless_missing:
        window.nameless_grail = grail.nameless(sides.environment, begin, min(end, sides.due_before))
    return compare(window, ids, found.copies, sides.due_before, sides.is_early)
