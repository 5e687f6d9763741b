"""What a detector's query gives: one series of one-minute samples for each combination of its dimensions."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from ..grail import dql, queries
from ..grail.dql.values import NUMBERS, Duration, Row, Timeframe
from ..kernel.clock import MICROSECONDS
from ..kernel.world import World
from .samples import Sample

MINUTE_US = 60 * MICROSECONDS
LIMIT_S = 10.0
"""facts: alerting 2. In real time: it protects the process."""
MOST = 1_000
"""Series of one query."""
BUCKETS = "storage:buckets:read"
FRAME = ("timeframe", "interval")


class FailedError(Exception):
    """Why a detector cannot be evaluated; a sentence. Texts UNVERIFIED."""


@dataclass(frozen=True)
class Found:
    series: dict[str, list[Sample]]
    """By the dimensions as JSON."""
    grouped: bool
    """Each series has dimensions, so that no data at all is no series."""


async def read(world: World, query: str, actor: str, from_us: int, to_us: int) -> Found:
    """Run a query for a user over whole minutes. Raises FailedError."""
    try:
        prepared = dql.prepare(
            query, world.clock.now_us(), default_from_us=from_us, default_to_us=to_us, data_objects=world.data_objects
        )
    except dql.DqlError as error:
        raise FailedError(error.message) from None
    needed = {*prepared.pipeline.permissions, BUCKETS}
    if missing := sorted(needed - world.identity.permissions(actor)):
        raise FailedError(f"The actor lacks the permission {', '.join(missing)}.")
    if prepared.pipeline.analysis != (from_us * 1000, to_us * 1000):
        raise FailedError("The query must not have a timeframe of its own (from, to, timeframe).")
    try:
        async with asyncio.timeout(LIMIT_S):
            result = await queries.answer(world.store, prepared, MOST)
    except TimeoutError:
        raise FailedError(f"The response time exceeded {LIMIT_S * 1000:.0f} ms.") from None
    if result.truncated:
        raise FailedError(f"The query gives more than {MOST} series.")
    fields = prepared.pipeline.fields
    grouped = fields is None or len(fields - {*FRAME}) > 1
    return Found(dict(one(row, from_us, to_us) for row in result.rows), grouped)


def one(row: Row, from_us: int, to_us: int) -> tuple[str, list[Sample]]:
    """Dimensions and samples of one record."""
    frame, interval = row.get("timeframe"), row.get("interval")
    arrays = [name for name, value in row.items() if isinstance(value, list)]
    if not isinstance(frame, Timeframe) or not isinstance(interval, Duration) or len(arrays) != 1:
        raise FailedError("The query must give one time series: makeTimeseries with one aggregation.")
    if interval != MINUTE_US * 1000 or (frame.start, frame.end) != (from_us * 1000, to_us * 1000):
        raise FailedError("The time series must have interval: 1m and no timeframe of its own.")
    values = row[arrays[0]]
    if wrong := [value for value in values if value is not None and type(value) not in NUMBERS]:
        raise FailedError(f"The samples must be numbers, not {wrong[0]!r}.")
    names = [name for name in row if name not in (*FRAME, arrays[0])]
    dimensions = {name: dql.encode(row[name]) for name in sorted(names)}
    return json.dumps(dimensions, ensure_ascii=False), [None if value is None else float(value) for value in values]
