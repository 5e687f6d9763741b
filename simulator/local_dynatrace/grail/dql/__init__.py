"""The Dynatrace Query Language: text to tree (``parser``) to functions (``expressions``, ``commands``) to records.

Start with ``prepare``. Reading order: ``grammar.lark``, ``syntax``, ``values``, ``operations``, ``functions``,
``expressions``, ``commands``, ``summaries`` and ``joins``, ``logs``.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ...kernel.data_objects import DataObject
from .commands import build
from .errors import DqlError, Span
from .parser import parse
from .pipeline import Beginnings, Pipeline
from .syntax import render
from .values import Row, encode

__all__ = ["Beginnings", "DqlError", "Prepared", "Result", "Span", "encode", "prepare"]

DEFAULT_HOURS = 2
"""How far a query looks back without a timeframe (docs: fetch)."""
MAX_RECORDS = 1_000
BUCKET_FIELD = "dt.system.bucket"


@dataclass(frozen=True)
class Result:
    """A query's result in DQL's own values; ``local_dynatrace.grail.result`` writes it for the wire."""

    query: str
    canonical: str
    rows: list[Row]
    truncated: bool
    """There were more than ``max_records``."""
    from_ns: int
    to_ns: int
    scanned_records: int
    scanned_bytes: int
    milliseconds: int


@dataclass
class Prepared:
    """A query that has been put together. It runs once, on any connection to the store."""

    query: str
    canonical: str
    pipeline: Pipeline

    def run(
        self, db: sqlite3.Connection, max_records: int = MAX_RECORDS, beginnings: Beginnings | None = None
    ) -> Result:
        """Read and compute. Raises sqlite3.OperationalError if the connection is interrupted."""
        started = time.perf_counter()
        pipeline = self.pipeline
        rows = list(itertools.islice(pipeline.run(db, beginnings=beginnings), max_records + 1))
        return Result(
            query=self.query,
            canonical=self.canonical,
            rows=rows[:max_records],
            truncated=len(rows) > max_records,
            from_ns=pipeline.analysis[0],
            to_ns=pipeline.analysis[1],
            scanned_records=sum(logs.scanned_records for logs in pipeline.sources()),
            scanned_bytes=sum(logs.scanned_bytes for logs in pipeline.sources()),
            milliseconds=round((time.perf_counter() - started) * 1000),
        )


def prepare(
    query: str,
    now_us: int,
    *,
    default_from_us: int | None = None,
    default_to_us: int | None = None,
    data_objects: Mapping[str, DataObject] | None = None,
) -> Prepared:
    """Put a query over what is visible at ``now_us`` together, without running it. Raises DqlError."""
    to_ns = (now_us if default_to_us is None else default_to_us) * 1000
    from_ns = to_ns - DEFAULT_HOURS * 3_600_000_000_000 if default_from_us is None else default_from_us * 1000
    tree = parse(query)
    pipeline = Pipeline(now_us * 1000, from_ns, to_ns, data_objects or {}, BUCKET_FIELD in query, build=build)
    build(tree, pipeline)
    return Prepared(query, render(tree), pipeline)
