"""The clock across restarts: time goes on from where it stood, in the mode it had unless another is asked for."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from .clock import MICROSECONDS, Clock, Mode
from .store import Store

START_US = int(datetime(2026, 1, 29, 10, tzinfo=UTC).timestamp()) * MICROSECONDS
"""The time of a fresh clock that is not running: the same everywhere, so that a test's times are constants."""


def resume(clock: Clock, store: Store, mode: Mode | None) -> None:
    """Set a new process's clock, and remember every later change of it."""
    remembered = store.meta("clock")
    if remembered is None:
        begin(clock, mode or "running")
    elif remembered["mode"] == "running":
        # The shift against real time is kept: a clock that runs also runs while the process is down.
        clock.jump(time.time_ns() // 1000 + remembered["offset_us"])
        clock.set_mode(mode or "running")
    else:
        clock.jump(remembered["now_us"])
        clock.set_mode(mode or remembered["mode"])
    clock.listeners.append(lambda: remember(clock, store))
    remember(clock, store)


def begin(clock: Clock, mode: Mode) -> None:
    """A fresh environment's time: real time where the clock runs, else ``START_US``."""
    clock.set_mode(mode)
    clock.jump(time.time_ns() // 1000 if mode == "running" else START_US)


def remember(clock: Clock, store: Store) -> None:
    now = clock.now_us()
    store.set_meta("clock", {"mode": clock.mode, "now_us": now, "offset_us": now - time.time_ns() // 1000})
