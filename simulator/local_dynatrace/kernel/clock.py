"""The one clock that every part uses: APIs, tokens, schedules, limits and the Date of running scripts.

Modes: ``running`` (real time, shifted), ``frozen`` (moves only by ``step``/``jump``), ``auto`` (frozen, but when
nothing is left to do except waiting it jumps to the next moment somebody waits for, so that no test sleeps; the
runtime decides when that is, as only it knows what scripts do). Waits of the platform itself (schedules, limits) are
``background``: time passes them when it moves, but never moves for them.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

Mode = Literal["running", "frozen", "auto"]
MICROSECONDS = 1_000_000
EARLIEST_US, LATEST_US = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * MICROSECONDS for year in (2000, 2100))
"""The clock can be set between these. What is computed from its time (schedules, lifetimes, dates on pages) then fits
into a ``datetime`` and a column of SQLite."""


class OutOfRangeError(ValueError):
    """A time that the clock cannot be set to; the text is a sentence."""


def settable(us: int) -> int:
    """This time, if the clock can be set to it. Raises OutOfRangeError."""
    if not EARLIEST_US <= us <= LATEST_US:
        raise OutOfRangeError(f"The clock can be set from {iso(EARLIEST_US)[:10]} to {iso(LATEST_US)[:10]} only.")
    return us


def iso(us: int) -> str:
    """RFC 3339 in UTC with milliseconds, as Dynatrace writes times: ``2026-01-29T08:00:00.000Z``."""
    return datetime.fromtimestamp(us // MICROSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{us // 1000 % 1000:03d}Z"


class Clock:
    """Simulated time in integer microseconds since the epoch."""

    def __init__(self) -> None:
        self.mode: Mode = "running"
        self._offset_us = 0
        self._frozen_us = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None], bool]] = []
        self._order = itertools.count()
        self._asleep: dict[asyncio.Task[Any], asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.listeners: list[Callable[[], None]] = []
        """Called after each jump or mode change; running scripts get the new time this way."""
        self.on_wait: list[Callable[[], None]] = []
        """Called when a foreground sleep has begun (the ``auto`` mode looks whether it may jump)."""

    def now_us(self) -> int:
        if self.mode == "running":
            return time.time_ns() // 1000 + self._offset_us
        return self._frozen_us

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_us() / MICROSECONDS, UTC)

    def now_iso(self) -> str:
        return iso(self.now_us())

    def set_mode(self, mode: Mode) -> None:
        now = self.now_us()
        self.mode = mode
        self._set(now)

    def jump(self, to_us: int) -> None:
        """Set the time, forwards or backwards."""
        self._set(to_us)

    def step(self, seconds: float) -> None:
        self._set(self.now_us() + round(seconds * MICROSECONDS))

    def _set(self, now_us: int) -> None:
        if self.mode == "running":
            self._offset_us = now_us - time.time_ns() // 1000
        else:
            self._frozen_us = now_us
        self._wake()
        for listener in list(self.listeners):
            listener()

    async def sleep(self, seconds: float, *, background: bool = False) -> None:
        await self.sleep_until(self.now_us() + round(seconds * MICROSECONDS), background=background)

    async def sleep_until(self, at_us: int, *, background: bool = False) -> None:
        """Return when the simulated time has reached ``at_us``, however it gets there."""
        if at_us <= self.now_us():
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (at_us, next(self._order), future, background)
        heapq.heappush(self._sleepers, entry)
        self._arm()
        if background:
            await future
            return
        task = asyncio.current_task()
        assert task is not None
        self._asleep[task] = future
        try:
            for listener in list(self.on_wait):
                listener()
            await future
        finally:
            del self._asleep[task]

    def asleep(self, task: asyncio.Task[Any]) -> bool:
        """Whether this task is in a foreground sleep whose time has not come."""
        return task in self._asleep and not self._asleep[task].done()

    def next_wake_us(self, *, background: bool = True) -> int | None:
        """When the earliest sleeper wants to be woken (cancelled ones are forgotten)."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if background:
            return self._sleepers[0][0] if self._sleepers else None
        return min((at for at, _, future, back in self._sleepers if not back and not future.done()), default=None)

    def _wake(self) -> None:
        now = self.now_us()
        while (at := self.next_wake_us()) is not None and at <= now:
            heapq.heappop(self._sleepers)[2].set_result(None)
        self._arm()

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        at = self.next_wake_us()
        if at is not None and self.mode == "running":
            delay = max(0.0, (at - self.now_us()) / MICROSECONDS)
            self._timer = asyncio.get_running_loop().call_later(min(delay, 3600.0), self._wake)
