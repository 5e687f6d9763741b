"""One script's process, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import resource
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.scripts import Job
from ..kernel.world import World
from . import endings, messages
from .endings import Ending
from .sandbox import Sandbox

LONGEST_LINE = 64 * 1024 * 1024
SET_BACK_US = 100_000
"""Two clocks of one machine can differ by this much although neither was set."""
STDERR_KEPT = 64 * 1024
EMPTY_PROCESS_MB = 64
"""Deno's own, which the platform does not count [D]."""
LOOK_AT_MEMORY_S = 0.2
OUT_OF_MEMORY = ("Fatal JavaScript out of memory", "JavaScript heap out of memory")


class Run:
    """A process, what is known of its state, and how it ended."""

    def __init__(
        self,
        world: World,
        sandbox: Sandbox,
        job: Job,
        printed: Callable[[str, str], None],
        changed: Callable[[], None],
    ) -> None:
        self.world, self.sandbox, self.job = world, sandbox, job
        self.printed, self.changed = printed, changed
        self.nonce = secrets.token_urlsafe(24)  # a secret, so not from the seeded ids
        self.requests: dict[int, asyncio.Task[Any]] = {}
        """Requests of the script that are being served, by the number it gave them."""
        self.ended = asyncio.Event()
        """Set when its end is recorded."""
        self.awake = asyncio.Event()
        """Not set while the process is stopped."""
        self.awake.set()
        self.limit_s = min(world.options.script_limit_s, job.timeout_s)
        self._limit_us = world.clock.now_us() + round(self.limit_s * MICROSECONDS)
        self._limit: asyncio.Task[None] | None = None
        self._skew_us = round(world.options.script_skew_s * MICROSECONDS)
        self._told = (world.clock.now_us(), time.monotonic())
        """The last time that was sent to the script, and when."""
        self._process: asyncio.subprocess.Process | None = None
        self._ending: Ending | None = None
        self._clock_told = 0
        self._idle: dict[str, Any] | None = None

    async def carry(self, port: int) -> Ending:
        """Start the process, listen until it has ended, say how. Raises OSError if it cannot start."""
        await self.sandbox.prepare(self.job.script)
        process = await asyncio.create_subprocess_exec(
            *self.sandbox.command(self.job.script, port, self.world.url),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=self.sandbox.environment(), cwd="/", limit=LONGEST_LINE,
        )  # fmt: skip
        self._process = process
        limit_processor_time(process.pid, self.limit_s)
        self._write({"start": self._start(port)})
        if self.frozen:
            self._signal(signal.SIGSTOP)
        if self._ending:
            self._signal(signal.SIGKILL)
        self._limit = asyncio.create_task(self._end_at_limit())
        memory = asyncio.create_task(self._end_when_too_large(process.pid))
        assert process.stdout is not None and process.stderr is not None
        complaints = asyncio.create_task(tail(process.stderr))
        try:
            while line := await process.stdout.readline():
                self._heard(line)
            code = await process.wait()
            said = await complaints
        finally:
            self._limit.cancel()
            memory.cancel()
            self._signal(signal.SIGKILL)
            self.awake.set()
        return self._ending or self._from_exit(code, said)

    def end(self, ending: Ending) -> None:
        """End the process at once: nothing of the script runs any more, no ``finally`` either."""
        self._ending = self._ending or ending
        self._signal(signal.SIGKILL)

    @property
    def frozen(self) -> bool:
        return not self.awake.is_set()

    def freeze(self) -> None:
        self.awake.clear()
        self._signal(signal.SIGSTOP)
        self.changed()

    def thaw(self) -> None:
        self.tell_time()  # its earlier reports no longer apply
        self.awake.set()
        self._signal(signal.SIGCONT)

    def tell_time(self) -> None:
        """The clock was moved or runs in another way. A clock set back gives a script no more time than it had."""
        now_us, was_us = self.world.clock.now_us(), self._expected_us()
        if now_us < was_us - SET_BACK_US:
            self._limit_us -= was_us - now_us
            if self._limit is not None:
                self._limit.cancel()
                self._limit = asyncio.create_task(self._end_at_limit())
        self._told = (now_us, time.monotonic())
        self._clock_told += 1
        self._write({"clock": self.clock()})

    @property
    def idle(self) -> bool:
        """Whether nothing will happen in it before the clock moves."""
        if self.frozen:
            return True
        said = self._idle
        return (
            said is not None
            and self._ending is None
            and said["clock"] == self._clock_told
            and all(self._asleep(number) for number in said["open"])
        )

    def _asleep(self, request: int) -> bool:
        """Whether this request of the script waits for the clock, too (fault ``delay_s``)."""
        return request in self.requests and self.world.clock.asleep(self.requests[request])

    @property
    def until_us(self) -> int | None:
        """What moment it waits for; one that waits for nothing at all waits for its time limit."""
        if self.frozen or self._idle is None:
            return None
        until: int | None = self._idle["until_us"]
        if until is None:
            return None if self._idle["open"] else self._limit_us
        return until - self._skew_us

    def _expected_us(self) -> int:
        """The time it would be now if the clock had not been moved since the script got it."""
        now_us, at_s = self._told
        passed_s = time.monotonic() - at_s if self.world.clock.mode == "running" else 0.0
        return now_us + round(passed_s * MICROSECONDS)

    def _start(self, port: int) -> dict[str, Any]:
        job, user = self.job, self.world.identity.user(self.job.actor)
        return {
            "clock": self.clock(),
            "refusals": messages.NOT_ALLOWED,
            "egress": {"port": port, "nonce": self.nonce},
            "environment": {
                "id": self.world.store.meta("environment", "local"),
                "url": self.world.url,
                "user": {"id": job.actor, "name": user["name"] if user else "", "email": user["email"] if user else ""},
            },
            "metadata": {
                "workflowId": job.workflow_id,
                "workflowExecutionId": job.execution_id,
                "workflowActionExecutionId": job.action_execution_id,
                "workflowTaskName": job.task_name,
            },
            # Older documentation writes the names with underscores (facts: dynatrace-runtime 2).
            "argument": {
                "executionId": job.execution_id,
                "actionExecutionId": job.action_execution_id,
                "loopItemValue": job.loop_item,
                "execution_id": job.execution_id,
                "action_execution_id": job.action_execution_id,
            },
        }

    def clock(self) -> dict[str, Any]:
        """The time, as it is sent to the process."""
        clock = self.world.clock
        return {
            "sequence": self._clock_told,
            "mode": clock.mode,
            "now_us": clock.now_us() + self._skew_us,
            "at_us": time.time_ns() // 1000,
        }

    def _heard(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            ((kind, value),) = message.items()
        except (ValueError, AttributeError):
            return  # not from main.js: the script found another way to print
        match kind:
            case "log":
                self.printed(self.job.execution_id, self.sandbox.clean(value))
            case "idle":
                self._idle = value
                self.changed()
            case "result":
                self.end(self._judged(value))
            case "result_length":
                self.end(endings.result_too_large(value, self._most_bytes()))
            case "error":
                self.end(endings.crashed(value["name"], *(self.sandbox.clean(value[k]) for k in ("message", "stack"))))

    def _judged(self, result: str) -> Ending:
        size = len(result.encode("utf-8", "replace"))
        if size > self._most_bytes():
            return endings.result_too_large(size, self._most_bytes())
        return endings.succeeded(json.loads(self.sandbox.without_paths(result)))

    def _most_bytes(self) -> int:
        return int(self.world.options.script_result_mb * 1024 * 1024)

    def _from_exit(self, code: int, said: str) -> Ending:
        """It ended without a result: killed by a limit, or crashed."""
        if any(sign in said for sign in OUT_OF_MEMORY):
            return endings.out_of_memory(self.world.options.script_memory_mb)
        if code == -signal.SIGXCPU:
            return endings.out_of_time(self.limit_s)
        if code == -signal.SIGKILL:
            return endings.killed()
        return endings.crashed("Error", self.sandbox.clean(said).strip() or f"The process ended with code {code}.", "")

    async def _end_at_limit(self) -> None:
        await self.world.clock.sleep_until(self._limit_us, background=True)
        self.end(endings.out_of_time(self.limit_s))

    async def _end_when_too_large(self, pid: int) -> None:
        """V8 limits its own heap; memory outside it, such as buffers, is only visible from outside."""
        limit_mb = self.world.options.script_memory_mb
        while (size_mb := resident_mb(pid)) is not None:
            if size_mb > limit_mb + EMPTY_PROCESS_MB:
                self.end(endings.out_of_memory(limit_mb))
            await asyncio.sleep(LOOK_AT_MEMORY_S)

    def _write(self, message: dict[str, Any]) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


async def tail(stream: asyncio.StreamReader) -> str:
    """The end of what was written to a stream."""
    kept = b""
    while chunk := await stream.read(STDERR_KEPT):
        kept = (kept + chunk)[-STDERR_KEPT:]
    return kept.decode(errors="replace")


def resident_mb(pid: int) -> float | None:
    """Memory that a process holds; None if it has ended, or on systems other than Linux."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except (OSError, IndexError):
        return None
    return pages * resource.getpagesize() / 2**20


def limit_processor_time(pid: int, seconds: float) -> None:
    """A script that never pauses does not notice a frozen clock: the kernel's limit of processor time stops it."""
    if hasattr(resource, "prlimit"):  # Linux
        whole = max(1, math.ceil(seconds))
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_CPU, (whole, whole + 1))
