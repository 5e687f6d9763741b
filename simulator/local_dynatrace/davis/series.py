"""What a detector's query gives: one series of one-minute samples for each combination of its dimensions."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from ..grail import dql, queries
from ..grail.dql.values import NUMBERS, Duration, Row, Timeframe, Timestamp
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
class Window:
    """Whole minutes that a query is run over, in microseconds."""

    from_us: int
    to_us: int

    @property
    def minutes(self) -> int:
        return (self.to_us - self.from_us) // MINUTE_US


@dataclass(frozen=True)
class Found:
    """What a query gives over one window."""

    window: Window
    series: dict[str, list[Sample]]
    """By the dimensions as JSON."""
    grouped: bool
    """Each series has dimensions, so that no data at all is no series."""


async def read(world: World, query: str, actor: str, windows: list[Window]) -> list[Found]:
    """Run a query for a user over each window, as if it had been run then. Raises FailedError."""
    now_us, stopped = world.clock.now_us(), threading.Event()
    whole = prepared(world, query, now_us, Window(windows[0].from_us, windows[-1].to_us))
    needed = {*whole.pipeline.permissions, BUCKETS}
    if missing := sorted(needed - world.identity.permissions(actor)):
        raise FailedError(f"The actor lacks the permission {', '.join(missing)}.")

    def work() -> list[Found]:
        with closing(world.store.reader()) as db:
            db.set_progress_handler(stopped.is_set, queries.LOOK_EVERY)
            records = Records(whole.pipeline.begin(db))
            found: list[Found] = []
            nothing: Found | None = None
            for window in windows:
                if stopped.is_set():
                    break
                within = list(records.within(window))
                if not within and nothing:
                    found.append(replace(nothing, window=window))
                    continue
                pipeline = prepared(world, query, now_us, window).pipeline
                rows = list(pipeline.run(db, iter(within)))
                grouped = pipeline.fields is None or len(pipeline.fields - {*FRAME}) > 1
                found.append(Found(window, series_of(rows, window), grouped))
                if not within and not pipeline.subqueries:  # most records are none that a detector is about
                    nothing = found[-1]
            return found

    try:
        async with asyncio.timeout(LIMIT_S):
            return await asyncio.to_thread(work)
    except TimeoutError:
        raise FailedError(f"The response time exceeded {LIMIT_S * 1000:.0f} ms.") from None
    except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError, sqlite3.Error) as error:
        raise FailedError(f"The query failed: {error!r}.") from None  # and not the whole environment
    finally:
        stopped.set()


def prepared(world: World, query: str, now_us: int, window: Window) -> dql.Prepared:
    try:
        made = dql.prepare(
            query, now_us, default_from_us=window.from_us, default_to_us=window.to_us, data_objects=world.data_objects
        )
    except dql.DqlError as error:
        raise FailedError(error.message) from None
    if made.pipeline.analysis != (window.from_us * 1000, window.to_us * 1000):
        raise FailedError("The query must not have a timeframe of its own (from, to, timeframe).")
    return made


class Records:
    """Records that have been read once, by their time."""

    def __init__(self, records: Iterator[Row]) -> None:
        self._sorted = sorted(records, key=time_of)
        self._times = [time_of(record) for record in self._sorted]

    def within(self, window: Window) -> Iterator[Row]:
        """Copies, as commands change the records that they get."""
        first = bisect_left(self._times, window.from_us * 1000)
        end = bisect_left(self._times, window.to_us * 1000)
        return (dict(record) for record in self._sorted[first:end])


def time_of(record: Row) -> int:
    at = record.get("timestamp")
    return int(at) if isinstance(at, Timestamp) else 0


def series_of(rows: list[Row], window: Window) -> dict[str, list[Sample]]:
    if len(rows) > MOST:
        raise FailedError(f"The query gives more than {MOST} series.")
    return dict(one(row, window) for row in rows)


def one(row: Row, window: Window) -> tuple[str, list[Sample]]:
    """Dimensions and samples of one record."""
    frame, interval = row.get("timeframe"), row.get("interval")
    arrays = [name for name, value in row.items() if isinstance(value, list)]
    if not isinstance(frame, Timeframe) or not isinstance(interval, Duration) or len(arrays) != 1:
        raise FailedError("The query must give one time series: makeTimeseries with one aggregation.")
    if interval != MINUTE_US * 1000 or (frame.start, frame.end) != (window.from_us * 1000, window.to_us * 1000):
        raise FailedError("The time series must have interval: 1m and no timeframe of its own.")
    values = row[arrays[0]]
    if wrong := [value for value in values if value is not None and type(value) not in NUMBERS]:
        raise FailedError(f"The samples must be numbers, not {wrong[0]!r}.")
    if len(values) != window.minutes:
        raise FailedError(f"The time series must have {window.minutes} samples, not {len(values)}.")
    names = [name for name in row if name not in (*FRAME, arrays[0])]
    dimensions = {name: dql.encode(row[name]) for name in sorted(names)}
    return json.dumps(dimensions, ensure_ascii=False), [None if value is None else float(value) for value in values]
