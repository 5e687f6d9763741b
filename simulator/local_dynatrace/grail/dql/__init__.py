"""The Dynatrace Query Language: text to tree (``parser``) to functions (``expressions``, ``commands``) to records.

Start with ``execute``. Reading order: ``grammar.lark``, ``syntax``, ``values``, ``operations``, ``functions``,
``expressions``, ``commands`` and ``summaries``, ``logs``.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

from ...kernel.world import World
from .commands import build
from .errors import DqlError, Span
from .parser import parse
from .pipeline import Pipeline
from .syntax import render
from .values import Row, encode

__all__ = ["DqlError", "Result", "Span", "check", "encode", "execute"]

DEFAULT_HOURS = 2
"""How far a query looks back without a timeframe (docs: fetch)."""
MAX_RECORDS = 1_000


@dataclass(frozen=True)
class Result:
    """What a query gave, in DQL's own values; ``local_dynatrace.grail.result`` writes it for the wire."""

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


def check(world: World, query: str) -> str:
    """Put a query together without running it; its canonical text. Raises DqlError."""
    tree = parse(query)
    build(tree, _pipeline(world, None, None))
    return render(tree)


def execute(
    world: World,
    query: str,
    *,
    default_from_us: int | None = None,
    default_to_us: int | None = None,
    max_records: int = MAX_RECORDS,
) -> Result:
    """Run a query over what is visible now. Raises DqlError."""
    started = time.perf_counter()
    tree = parse(query)
    pipeline = _pipeline(world, default_from_us, default_to_us)
    build(tree, pipeline)
    rows = list(itertools.islice(pipeline.run(), max_records + 1))
    logs = pipeline.logs
    return Result(
        query=query,
        canonical=render(tree),
        rows=rows[:max_records],
        truncated=len(rows) > max_records,
        from_ns=pipeline.analysis[0],
        to_ns=pipeline.analysis[1],
        scanned_records=logs.scanned_records if logs else 0,
        scanned_bytes=logs.scanned_bytes if logs else 0,
        milliseconds=round((time.perf_counter() - started) * 1000),
    )


def _pipeline(world: World, from_us: int | None, to_us: int | None) -> Pipeline:
    now_ns = world.clock.now_us() * 1000
    to_ns = now_ns if to_us is None else to_us * 1000
    from_ns = to_ns - DEFAULT_HOURS * 3_600_000_000_000 if from_us is None else from_us * 1000
    return Pipeline(world, now_ns, from_ns, to_ns)
