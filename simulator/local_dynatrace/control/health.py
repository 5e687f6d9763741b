"""What ``GET /_sim/health`` reports."""

from __future__ import annotations

import os
from typing import Any

from .. import VERSION
from ..kernel.routing import RouteTable
from ..kernel.world import World


def health(world: World, table: RouteTable) -> dict[str, Any]:
    return {
        "status": "ready" if world.ready else "starting",
        "version": VERSION,
        "pid": os.getpid(),
        "url": world.url,
        "seed": world.options.seed,
        "clock": clock(world),
        "apis": {name: len(routes) for name, routes in table.by_api().items()},
        "plugins": [plugin.name for plugin in world.plugins],
        "scheduler": "running" if world.options.scheduler else "off",
        "runtime": {"running": sorted(world.scripts.running)},
        "faults": [rule.shown() for rule in world.faults.rules],
        "requests": world.request_count,
        "options": world.options.shown(),
    }


def clock(world: World) -> dict[str, Any]:
    return {"mode": world.clock.mode, "now": world.clock.now_iso(), "nowUs": world.clock.now_us()}
