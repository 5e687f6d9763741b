"""A query while it is being put together: its source, the stages so far, and what is known about the fields."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...kernel.data_objects import DataObject
from .expressions import Scope
from .logs import LogSource
from .values import Row

Stage = Callable[[Iterator[Row]], Iterable[Row]]


@dataclass
class Pipeline:
    now_ns: int
    default_from_ns: int
    default_to_ns: int
    data_objects: Mapping[str, DataObject] = field(default_factory=dict)
    """What can be fetched beside logs."""
    permissions: set[str] = field(default_factory=set)
    """What reading the query's data objects needs."""
    analysis: tuple[int, int] = (0, 0)
    """The timeframe the query is about."""
    logs: LogSource | None = None
    source: Callable[[sqlite3.Connection], Iterator[Row]] = field(default=lambda _: iter(()))
    stages: list[Stage] = field(default_factory=list)
    fields: frozenset[str] | None = None
    """The only fields there can be from here on; None where records may carry any."""
    narrowing: bool = False
    """Nothing but filters so far that the source could not take over."""
    ordered: bool = False
    """The source has taken over the order."""

    def scope(self) -> Scope:
        return Scope(self.now_ns, self.fields)

    def run(self, db: sqlite3.Connection) -> Iterator[Row]:
        rows = self.source(db)
        for stage in self.stages:
            rows = iter(stage(rows))
        return rows
