"""All running scripts: launched by the automation API, told the time, killed, frozen, thawed."""

from __future__ import annotations

import asyncio

from ..automation import executions
from ..kernel.server import Dispatcher
from ..kernel.world import World
from . import endings
from .endings import Ending
from .job import Job
from .pace import Pace
from .run import Run
from .sandbox import Sandbox


class Scripts:
    """The runtime's door for the rest of the environment."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self.world, self.dispatcher = world, dispatcher
        self.port = 0
        """Of the egress listener; set when it listens."""
        self.running: dict[str, Run] = {}
        """By execution: tasks of one execution run one after another."""
        self.pace = Pace(world.clock, self.running.values)
        self._sandbox = Sandbox(world.options)
        self._tasks: set[asyncio.Task[None]] = set()
        # Before the pace looks again: what a script said of itself is void once the time has changed.
        world.clock.listeners.insert(0, self._tell_time)

    def launch(self, job: Job) -> None:
        """Start a script. Counts as running from now on."""
        limit = self.world.options.script_parallel
        if len(self.running) >= limit:
            self._record(job, endings.too_many(limit))
            return
        run = Run(self.world, self._sandbox, job, self.pace.poke)
        self.running[job.execution_id] = run
        task = asyncio.get_running_loop().create_task(self._carry(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def kill(self, execution_id: str) -> None:
        """End a script as the platform does at its limits; returns when that is recorded."""
        if run := self.running.get(execution_id):
            run.end(endings.killed())
            await run.ended.wait()

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
            # No process could be started, or it printed one line that is longer than anybody reads.
            ending = endings.crashed(type(error).__name__, self._sandbox.clean(str(error)), "")
        del self.running[run.job.execution_id]
        self._record(run.job, ending)
        run.ended.set()
        self.pace.poke()

    def _record(self, job: Job, ending: Ending) -> None:
        executions.finish(
            self.world, job.execution_id, state=ending.state, state_info=ending.state_info, result=ending.result
        )

    def _tell_time(self) -> None:
        for run in self.running.values():
            run.tell_time()
