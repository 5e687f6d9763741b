"""The ``auto`` clock: when everything waits, time jumps to the next moment that something waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from ..kernel.clock import Clock

SETTLING_TURNS = 10
"""Turns of the event loop before the next check, so that tasks just woken can start their work."""


class Waiting(Protocol):
    """A script, as far as the clock is concerned."""

    @property
    def idle(self) -> bool: ...
    @property
    def until_us(self) -> int | None: ...


class Pace:
    """Looks at the clock's sleepers and the running scripts whenever something about them has changed."""

    def __init__(self, clock: Clock, scripts: Callable[[], Iterable[Waiting]]) -> None:
        self.clock, self.scripts = clock, scripts
        self._looking: asyncio.Task[None] | None = None
        clock.on_wait.append(self.poke)
        clock.listeners.append(self.poke)

    def poke(self) -> None:
        """Check soon whether everything waits."""
        if self.clock.mode != "auto" or (self._looking and not self._looking.done()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # nothing waits before the environment serves
        self._looking = loop.create_task(self._look())

    async def _look(self) -> None:
        for _ in range(SETTLING_TURNS):
            await asyncio.sleep(0)
        target = self.target_us()
        self._looking = None
        if self.clock.mode == "auto" and target is not None:
            self.clock.jump(target)

    def target_us(self) -> int | None:
        """The time to jump to: the next wake-up, provided that something other than the background is waiting."""
        scripts = list(self.scripts())
        if not all(script.idle for script in scripts):
            return None
        moments = [script.until_us for script in scripts] + [self.clock.next_wake_us(background=False)]
        foreground = min((moment for moment in moments if moment is not None), default=None)
        if foreground is None:
            return None
        # Schedules and limits that come before are passed one by one: what they start has its turn first.
        return max(min(foreground, self.clock.next_wake_us() or foreground), self.clock.now_us())
