"""Goes through a stretch of time, window by window, with at most one window's ids in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    """``due_before``: records older than this must be in Grail. ``most_ids``: kept in memory at once, of each side."""

    scm: Scm
    environment: Environment
    due_before: datetime | None
    most_ids: int = MOST_IDS


def windows(sides: Sides, begin: datetime, end: datetime, length: timedelta = WINDOW) -> Iterator[Window]:
    """Compared windows in order; one that holds too many records is cut in two until it does not."""
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
        if half >= end:  # one second cannot be cut: it is compared whole
            yield one(Sides(sides.scm, sides.environment, sides.due_before, most_ids=10**9), begin, end)
            return
        yield from split(sides, begin, half)
        yield from split(sides, half, end)


def one(sides: Sides, begin: datetime, end: datetime) -> Window:
    """Raises TooManyError."""
    window = Window(begin, end)
    ids: dict[str, datetime] = {}
    # A second more at both ends: whether SCM includes its bounds is not documented.
    for page in sides.scm.pages(begin - SECOND, end + SECOND):
        for record in page:
            if record.at is None or not begin <= record.at < end:
                continue
            if record.id:
                ids[record.id] = record.at
            else:
                window.nameless_scm += 1
        if len(ids) > sides.most_ids:
            raise TooManyError
    found = grail.in_window(sides.environment, begin, end, sides.most_ids)
    elsewhere = [id for id in ids if id not in found.copies]
    if elsewhere:
        found.copies |= grail.by_id(sides.environment, elsewhere, begin)
    window.nameless_grail = found.nameless
    if window.nameless_missing:
        window.nameless_grail = grail.nameless(sides.environment, begin, end)
    return compare(window, ids, found.copies, sides.due_before)
