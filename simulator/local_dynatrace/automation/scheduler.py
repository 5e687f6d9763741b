"""Starts workflows when their schedule is due, on the simulated clock.

The next tick of each workflow is stored with it, so a restart forgets nothing. However many ticks were missed (the
process was down, the clock was stepped over them), one run is started for all of them and the rest are noted in
``unacknowledgedSkippedScheduleAt``, as the platform notes ticks it lost (facts: dynatrace-runtime 6). Runs overlap
freely: nothing asks whether the one before has ended.
"""

from __future__ import annotations

import json

from ..kernel.store import Row
from ..kernel.world import World
from . import executions, schedule, workflows


class Schedules:
    """An agenda of ``kernel.scheduler``."""

    kinds = ("workflow",)

    def __init__(self, world: World) -> None:
        self.world = world

    def next_us(self) -> int | None:
        row = self.world.store.one("SELECT min(next_us) AS at FROM workflows")
        at: int | None = row["at"] if row else None
        return at

    async def tick(self) -> None:
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
