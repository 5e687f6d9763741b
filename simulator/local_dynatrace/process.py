"""One process: two listeners on one event loop (clients, scripts), a scheduler, and a quick end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from . import app, plugins
from .automation.scheduler import Schedules
from .claim import Claim, ClaimedError
from .davis.evaluation import Detection
from .guard import Guard
from .kernel import timekeeping
from .kernel.clock import Mode
from .kernel.options import LOOPBACK, Options
from .kernel.scheduler import Scheduler
from .kernel.server import CuttableProtocol
from .kernel.store import Store
from .kernel.world import World
from .runtime.egress import Egress

log = logging.getLogger("local_dynatrace")
GRACE_S = 0.3
"""How long an answer in progress may take when the process ends."""
LIMIT_S = 0.9
"""How long the whole end may take."""


class StartError(Exception):
    """Why the environment cannot start, in one sentence."""


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: two servers share one process, which handles signals itself."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartError if the port is taken or the address is not of this machine."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=256
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror}") from None
        raise StartError(
            f"port {port} is in use: stop what listens there, or choose another with --port "
            "(`local-dynatrace status` says whether it is a local environment)"
        ) from None


def open_world(options: Options, mode: Mode | None, seed: int | None, present: tuple[plugins.Plugin, ...]) -> World:
    """The world of a state file: with these options; clock and seed as stored unless given."""
    store = Store(options.state)
    options.seed = store.meta("seed", options.seed) if seed is None else seed
    world = World(options, store, present)
    timekeeping.resume(world.clock, store, mode)
    return world


def serve(
    options: Options,
    mode: Mode | None,
    seed: int | None,
    present: tuple[plugins.Plugin, ...],
    announce: Callable[[str], None],
) -> None:
    """Run until SIGTERM or SIGINT. ``announce`` gets the address as soon as it answers. Raises StartError."""
    try:
        claim = Claim(options.state)
    except ClaimedError:
        raise StartError(
            f"the state {options.state} is in use by a running local environment: stop that one first, "
            "or give this one a file of its own with --state"
        ) from None

    def ready(url: str) -> None:
        claim.answering(url)
        announce(url)

    try:
        main = listen(options.host, options.port)
        options.port = main.getsockname()[1]
        asyncio.run(run(options, mode, seed, present, main, ready))
    finally:
        claim.release()


async def run(
    options: Options,
    mode: Mode | None,
    seed: int | None,
    present: tuple[plugins.Plugin, ...],
    main: socket.socket,
    announce: Callable[[str], None],
) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stop.set)
    world = open_world(options, mode, seed, present)
    try:
        built = app.build(world)
    except app.OtherVersionError:
        raise StartError(
            f"the state {options.state} was made by another version of the local environment: delete it, "
            "or give this one a file of its own with --state"
        ) from None
    inner = listen(LOOPBACK, 0)
    built.scripts.port = inner.getsockname()[1]
    servers = [
        (server(Guard(world, built.dispatcher)), main),
        (server(Egress(world, built.dispatcher, built.scripts)), inner),
    ]
    scheduler = Switch(world, stop)
    serving = [asyncio.create_task(each.serve(sockets=[listener])) for each, listener in servers]
    for each, _ in servers:
        await each.up.wait()
    world.ready = True
    announce(world.url)
    await stop.wait()
    world.ready = False
    scheduler.off()
    await end(world, [each for each, _ in servers], serving)
    world.store.close()


def server(application: Any) -> Server:
    return Server(
        uvicorn.Config(
            application, http=CuttableProtocol, ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, date_header=False, loop="asyncio", timeout_keep_alive=75,
        )
    )  # fmt: skip


class Switch:
    """Starts and stops schedules and detectors, as the option ``scheduler`` says.

    A crash of one ends the process loudly: half an environment would mislead.
    """

    def __init__(self, world: World, stop: asyncio.Event) -> None:
        self.world, self.stop = world, stop
        self.tasks: list[asyncio.Task[None]] = []
        world.on_change.append(lambda kind, _: self.look() if kind == "options" else None)
        self.look()

    def look(self) -> None:
        if not self.world.options.scheduler:
            self.off()
        elif not self.tasks:
            for agenda in (Schedules(self.world), Detection(self.world)):
                task = asyncio.create_task(Scheduler(self.world, agenda).run(), name=type(agenda).__name__)
                task.add_done_callback(self.ended)
                self.tasks.append(task)

    def off(self) -> None:
        while self.tasks:
            self.tasks.pop().cancel()

    def ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("%s has crashed", task.get_name(), exc_info=error)
            self.stop.set()


async def end(world: World, servers: list[Server], serving: list[asyncio.Task[None]]) -> None:
    """Within a second: scripts killed, answers under way get ``GRACE_S``, then every connection is dropped."""
    for each in servers:
        each.should_exit = True
        asyncio.get_running_loop().call_later(GRACE_S, setattr, each, "force_exit", True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(world.scripts.kill_all(), LIMIT_S / 2)
    _, late = await asyncio.wait(serving, timeout=LIMIT_S / 2)
    for task in late:
        task.cancel()
