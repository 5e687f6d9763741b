"""A query while it is being put together: its source, the stages so far, and what is known about the fields."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...kernel.data_objects import DataObject
from .expressions import Scope
from .logs import LogSource
from .syntax import Query
from .values import Row

Stage = Callable[[Iterator[Row]], Iterable[Row]]
Beginnings = dict[tuple[str, object], list[Row]]
"""By the text of first commands and what is read: the records that several queries, such as tiles, begin with."""


@dataclass
class Pipeline:
    now_ns: int
    default_from_ns: int
    default_to_ns: int
    data_objects: Mapping[str, DataObject] = field(default_factory=dict)
    """What can be fetched beside logs."""
    buckets: bool = False
    """The query names ``dt.system.bucket``."""
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

    begins: list[tuple[str, int]] = field(default_factory=list)
    """Its first commands, as long as each looks at one record at a time: their text, and how many stages they are."""
    build: Callable[[Query, Pipeline], None] | None = None
    """Puts a subquery together."""
    subqueries: list[Subquery] = field(default_factory=list)

    def scope(self) -> Scope:
        return Scope(self.now_ns, self.fields, subquery=self.subquery)

    def subquery(self, query: Query) -> Subquery:
        """Put a subquery together, over the same default timeframe; it runs before the query that it is in."""
        assert self.build is not None
        if known := next((each for each in self.subqueries if each.query is query), None):
            return known
        inner = Pipeline(
            self.now_ns,
            self.default_from_ns,
            self.default_to_ns,
            self.data_objects,
            self.buckets,
            self.permissions,
            build=self.build,
        )
        self.build(query, inner)
        made = Subquery(query, inner)
        self.subqueries.append(made)
        return made

    def sources(self) -> list[LogSource]:
        """Every reading of the log table, those of subqueries included."""
        inner = [source for each in self.subqueries for source in each.pipeline.sources()]
        return [*([self.logs] if self.logs else []), *inner]

    @property
    def begun(self) -> int:
        """How many of the first stages give the same whatever timeframe the records are from."""
        return self.begins[-1][1] if self.begins and not self.subqueries else 0

    def begin(self, db: sqlite3.Connection) -> Iterator[Row]:
        """What the first stages give."""
        return through(self.stages[: self.begun], self.source(db))

    def run(
        self, db: sqlite3.Connection, records: Iterator[Row] | None = None, beginnings: Beginnings | None = None
    ) -> Iterator[Row]:
        """``records``: what ``begin`` gives, if that is known. ``beginnings`` keeps what the first commands give, for
        other queries that begin alike.
        """
        for each in self.subqueries:
            each.rows = list(each.pipeline.run(db))
        if records is not None:
            return through(self.stages[self.begun :], records)
        if beginnings is None or self.logs is None or not self.begins:
            return through(self.stages, self.source(db))
        logs = self.logs
        reading = self.now_ns, logs.from_ns, logs.to_ns, tuple(logs.equal), logs.newest_first, logs.limit
        known = [(text, done) for text, done in self.begins if (text, reading) in beginnings]
        text, done = known[-1] if known else ("", 0)
        rows = (dict(row) for row in beginnings[text, reading]) if known else self.source(db)
        whole, begun = self.begins[-1]
        if text != whole:
            beginnings[whole, reading] = list(through(self.stages[done:begun], rows))
        return through(self.stages[begun:], (dict(row) for row in beginnings[whole, reading]))


def through(stages: Iterable[Stage], rows: Iterator[Row]) -> Iterator[Row]:
    for stage in stages:
        rows = iter(stage(rows))
    return rows


@dataclass
class Subquery:
    """A query in brackets, and its records once it has run."""

    query: Query
    pipeline: Pipeline
    rows: list[Row] = field(default_factory=list)

    @property
    def fields(self) -> frozenset[str] | None:
        """The only fields that its records can have; None where they may have any."""
        return self.pipeline.fields
