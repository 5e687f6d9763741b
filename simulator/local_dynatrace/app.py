"""Assembles the local environment: tables and routes of every API and plug-in, the runtime of scripts, the seed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from types import ModuleType

from . import (
    automation,
    control,
    davis,
    documents,
    grail,
    logs,
    management,
    pages,
    plugins,
    seed,
    settings,
    sso,
    tokens,
    vault,
)
from .automation import executions
from .kernel.routing import RouteTable
from .kernel.server import Dispatcher
from .kernel.world import World
from .runtime.endings import Ending
from .runtime.scripts import Scripts

APIS: tuple[ModuleType, ...] = (
    sso,
    tokens,
    management,
    vault,
    settings,
    automation,
    documents,
    logs,
    grail,
    davis,
)
"""In the order of their routes; each has ``ROUTES`` and ``setup``."""


class OtherVersionError(Exception):
    """The state's tables are those of another version of the local environment."""


@dataclass(frozen=True)
class Application:
    dispatcher: Dispatcher
    scripts: Scripts


def route_table(present: Iterable[plugins.Plugin] | None = None) -> RouteTable:
    """All routes, with those of these plug-ins (default: every installed one). The pages, which end with a route for
    any other page, come last.
    """
    chosen = plugins.found() if present is None else present
    return RouteTable(
        [
            *(route for api in APIS for route in api.ROUTES),
            *(route for plugin in chosen for route in plugin.routes),
            *control.ROUTES,
            *pages.ROUTES,
        ]
    )


def build(world: World) -> Application:
    """Create what is missing in the store and connect the parts; a fresh store is seeded. Raises OtherVersionError."""
    try:
        setup(world)
    except sqlite3.OperationalError as error:  # an index on a column that an old table lacks
        raise OtherVersionError from error
    if world.store.meta("seeded", False) and world.store.meta("schema") != world.store.schema:
        raise OtherVersionError
    scripts = Scripts(world, partial(executions.append_log, world), partial(script_ended, world))
    world.scripts = scripts
    if not world.store.meta("seeded", False):
        with world.store.transaction():
            seed.plant(world)
    return Application(Dispatcher(world, route_table(world.plugins)), scripts)


def setup(world: World) -> None:
    """Create all tables; idempotent."""
    for api in APIS:
        api.setup(world)
    for plugin in world.plugins:
        if plugin.tables:
            plugin.tables.setup(world)


def script_ended(world: World, execution_id: str, ending: Ending) -> None:
    executions.finish(world, execution_id, state=ending.state, state_info=ending.state_info, result=ending.result)
