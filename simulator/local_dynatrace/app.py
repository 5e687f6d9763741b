"""Assembles the local environment: every API's tables and routes, its scripts, and the way back to the seed."""

from __future__ import annotations

import sqlite3
from types import ModuleType

from .kernel.routing import Route
from .kernel.server import Dispatcher
from .kernel.world import World, new_request_log


class OtherVersionError(Exception):
    """The state's tables are those of another version of the local environment."""


def packages() -> list[ModuleType]:
    """One per API, in the order of their routes; all have ``ROUTES`` and ``setup``."""
    from local_sectigo import scm

    from . import automation, control, grail, logs, pages, settings, sso, tokens, vault

    return [sso, tokens, vault, settings, automation, logs, grail, scm, control, pages]


def routes_by_api() -> dict[str, list[Route]]:
    """The whole route table, by the API that the routes name."""
    table: dict[str, list[Route]] = {}
    for package in packages():
        for route in package.ROUTES:
            table.setdefault(route.api, []).append(route)
    return table


def build(world: World) -> Dispatcher:
    """Create what is missing in the store and return the application; a fresh store is seeded.

    Raises OtherVersionError.
    """
    from . import seed
    from .runtime.scripts import Scripts

    try:
        setup(world)
    except sqlite3.OperationalError as error:  # an index on a column that an old table lacks
        raise OtherVersionError from error
    if world.store.meta("seeded", False) and world.store.meta("schema") != world.store.schema:
        raise OtherVersionError
    dispatcher = Dispatcher(world, [route for package in packages() for route in package.ROUTES])
    world.scripts = Scripts(world, dispatcher)
    if not world.store.meta("seeded", False):
        with world.store.transaction():
            seed.plant(world)
    return dispatcher


def setup(world: World) -> None:
    for package in packages():
        package.setup(world)


async def reset(world: World) -> None:
    """Back to the seed in place: scripts killed, tables emptied, options, faults and request log as at the start.

    The clock keeps its mode and goes back to its beginning.
    """
    from . import seed, timekeeping

    await kill_scripts(world)
    with world.store.transaction():
        for table in world.store.all(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ):
            world.store.run(f'DELETE FROM "{table["name"]}"')
        world.store.run("DELETE FROM sqlite_sequence")
    world.faults.clear()
    world.earlier.clear()
    world.requests = new_request_log()
    world.options.change(world.options_at_start)
    timekeeping.begin(world.clock, world.clock.mode)
    setup(world)
    with world.store.transaction():
        seed.plant(world)
    world.changed("options")
    world.changed("reset")


async def kill_scripts(world: World) -> None:
    """End every running script, those too that are started because one has ended."""
    while world.scripts.running:
        for execution in list(world.scripts.running):
            await world.scripts.kill(execution)
