"""Does what an API has to do by itself at certain times of the simulated clock: start workflows, evaluate detectors."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

from .clock import MICROSECONDS
from .world import World

IDLE_US = 24 * 3600 * MICROSECONDS


class Agenda(Protocol):
    """What one API does, and when."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Changes (``World.changed``) after which ``next_us`` may be another."""

    def next_us(self) -> int | None:
        """When there is something to do; None: nothing is planned."""

    async def tick(self) -> None:
        """Do everything that is due."""


class Scheduler:
    """Carries one agenda, on whatever way the clock goes."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self.world, self.agenda = world, agenda
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        self.world.on_change.append(self._heard)
        self.world.clock.listeners.append(self._changed.set)
        self.world.pending.append(self.pending)
        try:
            while True:
                self._changed.clear()
                await self.agenda.tick()
                self.world.changed("agenda")  # whoever waits until nothing is due looks again
                await self._wait()
        finally:
            self.world.on_change.remove(self._heard)
            self.world.clock.listeners.remove(self._changed.set)
            self.world.pending.remove(self.pending)

    def pending(self) -> bool:
        """Whether something is due that has not been done."""
        at = self.agenda.next_us()
        return at is not None and at <= self.world.clock.now_us()

    def _heard(self, kind: str, id: Any) -> None:
        if kind in self.agenda.kinds or kind == "reset":
            self._changed.set()

    async def _wait(self) -> None:
        """Until something is due, or what is planned or the clock has changed."""
        idle, planned = self.world.clock.now_us() + IDLE_US, self.agenda.next_us()
        at = idle if planned is None else min(idle, planned)
        sleeping = asyncio.ensure_future(self.world.clock.sleep_until(at, background=True))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((sleeping, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in (sleeping, changed):
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waiting
