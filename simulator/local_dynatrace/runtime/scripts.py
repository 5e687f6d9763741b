"""All running scripts: launch, kill, freeze, thaw, and pass on the time.

Nothing here knows what a workflow is. Whoever launches a script learns of it by two callbacks: what it printed, and
how it ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..kernel.scripts import Job
from ..kernel.world import World
from . import endings
from .endings import Ending
from .pace import Pace
from .run import Run
from .sandbox import Sandbox

Printed = Callable[[str, str], None]
"""Called with the execution's id and a text."""
Ended = Callable[[str, Ending], None]
"""Called with the execution's id."""


class Scripts:
    """Implements ``kernel.scripts.Scripts``."""

    def __init__(self, world: World, printed: Printed, ended: Ended) -> None:
        self.world, self._printed, self._ended = world, printed, ended
        self.port = 0
        """Of the egress listener; set when it listens."""
        self.running: dict[str, Run] = {}
        """By execution: tasks of one execution run one after another."""
        self.pace = Pace(world.clock, self.running.values)
        self._sandbox = Sandbox(world.options)
        self._tasks: set[asyncio.Task[None]] = set()
        # Before the pace checks again: a script's report that it is idle is void once the time has changed.
        world.clock.listeners.insert(0, self._tell_time)

    def launch(self, job: Job) -> None:
        """Start a script. Counts as running from now on."""
        limit = self.world.options.script_parallel
        if len(self.running) >= limit:
            self._ended(job.execution_id, endings.too_many(limit))
            return
        size, most = len(job.script.encode("utf-8", "replace")), int(self.world.options.script_size_mb * 1024 * 1024)
        if size > most:
            self._ended(job.execution_id, endings.script_too_large(size, most))
            return
        run = Run(self.world, self._sandbox, job, self._printed, self.pace.poke)
        self.running[job.execution_id] = run
        task = asyncio.get_running_loop().create_task(self._carry(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def kill(self, execution_id: str) -> None:
        """End a script as the platform does at its limits; returns when that is recorded."""
        if run := self.running.get(execution_id):
            run.end(endings.killed())
            await run.ended.wait()

    async def kill_all(self) -> None:
        """End every running script, and those that start because one has ended."""
        while self.running:
            for execution in list(self.running):
                await self.kill(execution)

    def freeze(self, execution_id: str) -> None:
        """Stop the process where it is; time goes on without it."""
        if run := self.running.get(execution_id):
            run.freeze()

    def thaw(self, execution_id: str) -> None:
        if run := self.running.get(execution_id):
            run.thaw()

    def by_nonce(self, nonce: str) -> Run | None:
        return next((run for run in self.running.values() if run.nonce == nonce), None)

    async def _carry(self, run: Run) -> None:
        try:
            ending = await run.carry(self.port)
        except (OSError, ValueError) as error:
            # The process could not start, or it printed a line that is longer than the reader's limit.
            ending = endings.crashed(type(error).__name__, self._sandbox.clean(str(error)), "")
        del self.running[run.job.execution_id]
        self._ended(run.job.execution_id, ending)
        run.ended.set()
        self.pace.poke()

    def _tell_time(self) -> None:
        for run in self.running.values():
            run.tell_time()
