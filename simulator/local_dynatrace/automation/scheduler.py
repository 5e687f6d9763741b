"""Starts workflows when their schedule is due, on the simulated clock.

The next tick of each workflow is stored with it, so a restart forgets nothing. However many ticks were missed (the
process was down, the clock was stepped over them), one run is started for all of them and the rest are noted in
``unacknowledgedSkippedScheduleAt``, as the platform notes ticks it lost (facts: dynatrace-runtime 6). Runs overlap
freely: nothing asks whether the one before has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from ..kernel.store import Row
from ..kernel.world import World
from . import executions, schedule, workflows

IDLE_S = 24 * 3600.0


class Scheduler:
    def __init__(self, world: World) -> None:
        self.world = world
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        self.world.on_change.append(self._heard)
        self.world.clock.listeners.append(self._changed.set)
        try:
            while True:
                self._changed.clear()
                self.tick()
                await self._wait(self._next_us())
        finally:
            self.world.on_change.remove(self._heard)
            self.world.clock.listeners.remove(self._changed.set)

    def _heard(self, kind: str, id: Any) -> None:
        if kind in ("workflow", "reset"):
            self._changed.set()

    def _next_us(self) -> int:
        row = self.world.store.one("SELECT min(next_us) AS at FROM workflows")
        idle = self.world.clock.now_us() + int(IDLE_S * 1_000_000)
        return idle if row is None or row["at"] is None else min(idle, row["at"])

    async def _wait(self, at_us: int) -> None:
        """Until the next tick is due, a workflow or the clock has changed."""
        sleeping = asyncio.ensure_future(self.world.clock.sleep_until(at_us, background=True))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((sleeping, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in (sleeping, changed):
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waiting

    def tick(self) -> None:
        """Start every workflow that is due."""
        now = self.world.clock.now_us()
        for row in self.world.store.all("SELECT * FROM workflows WHERE next_us <= ? ORDER BY next_us, id", now):
            with self.world.store.transaction():
                self._start(row, now)

    def _start(self, row: Row, now: int) -> None:
        planned = workflows.ticking(json.loads(row["definition"]))
        assert planned is not None, "a workflow without an active schedule has no next tick"
        second = schedule.following(planned, row["anchor_us"], row["next_us"])
        lost = row["next_us"] if second is not None and second <= now else None
        if self.world.faults.drops_tick(row["id"]):
            lost = row["next_us"]
        else:
            try:
                executions.start(self.world, row["id"], trigger_type="Schedule", user=None)
            except executions.ThrottledError:
                lost = row["next_us"]
        self.world.store.run(
            "UPDATE workflows SET next_us = ?, skipped_us = coalesce(skipped_us, ?) WHERE id = ?",
            schedule.following(planned, row["anchor_us"], now), lost, row["id"],
        )  # fmt: skip
        self.world.changed("execution", None)
