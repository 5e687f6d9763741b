"""What DQL can ``fetch`` beside logs: each API that keeps such a table registers it in ``World.data_objects``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Reader = Callable[[sqlite3.Connection, int, int], Iterable[Record]]
"""Called in a thread, with a read-only connection and a timeframe in microseconds, whose end is exclusive."""


@dataclass(frozen=True)
class DataObject:
    """A table of records, as ``fetch`` names it: ``dt.system.events``."""

    read: Reader
    """Its records of a timeframe, in any order, as JSON values; missing fields are null."""
    permission: str
    """The scope that reading it needs, beside ``storage:buckets:read``."""
    times: frozenset[str] = frozenset({"timestamp"})
    """Fields that hold microseconds and are timestamps in DQL."""
    durations: frozenset[str] = frozenset()
    """Fields that hold microseconds and are durations in DQL."""
