"""Assembles the local environment: every API's tables and routes, its scripts, and the way back to the seed."""

from __future__ import annotations

import importlib
from types import ModuleType

from .kernel.routing import Route
from .kernel.server import Dispatcher
from .kernel.world import World

PACKAGES = ("sso", "tokens", "vault", "settings", "automation", "runtime", "logs", "grail", "scm", "control", "pages")


def packages() -> list[ModuleType]:
    found = []
    for name in PACKAGES:
        try:
            found.append(importlib.import_module(f"simulator.{name}"))
        except ImportError as error:
            import sys

            print(f"package {name} is not there: {error}", file=sys.stderr)
    return found


def routes_by_api() -> dict[str, list[Route]]:
    """The whole route table, by the API that the routes name."""
    table: dict[str, list[Route]] = {}
    for package in packages():
        for route in getattr(package, "ROUTES", []):
            table.setdefault(route.api, []).append(route)
    return table


def build(world: World) -> Dispatcher:
    """Create what is missing in the store and return the application; a fresh store is seeded."""
    from . import seed

    setup(world)
    dispatcher = Dispatcher(world, [route for routes in routes_by_api().values() for route in routes])
    try:
        from .runtime.scripts import Scripts

        world.scripts = Scripts(world, dispatcher)
    except ImportError:
        from types import SimpleNamespace

        world.scripts = SimpleNamespace(running={})  # type: ignore[assignment]
    if not world.store.meta("seeded", False):
        with world.store.transaction():
            seed.plant(world)
    return dispatcher


def setup(world: World) -> None:
    for package in packages():
        if hasattr(package, "setup"):
            package.setup(world)


async def reset(world: World) -> None:
    """Back to the seed in place: scripts are killed, tables emptied, faults and request log forgotten."""
    from . import seed, timekeeping

    for execution in list(world.scripts.running):
        await world.scripts.kill(execution)
    with world.store.transaction():
        for table in world.store.all(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ):
            world.store.run(f'DELETE FROM "{table["name"]}"')
    world.faults.clear()
    world.requests.clear()
    timekeeping.begin(world.clock, world.clock.mode)
    setup(world)
    with world.store.transaction():
        seed.plant(world)
    world.changed("reset")
