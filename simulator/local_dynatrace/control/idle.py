"""Waiting, in real time, until nothing is under way: tests wait here instead of sleeping."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ..kernel.world import World


async def wait(world: World, limit_s: float) -> bool:
    """Whether no script runs and nothing else is due, at the latest after ``limit_s``."""
    changed = asyncio.Event()

    def heard(kind: str, id: Any) -> None:
        changed.set()

    world.on_change.append(heard)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while busy(world):
                    changed.clear()
                    await changed.wait()
    finally:
        world.on_change.remove(heard)
    return not busy(world)


def busy(world: World) -> bool:
    return bool(world.scripts.running) or any(pending() for pending in world.pending)
