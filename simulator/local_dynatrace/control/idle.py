"""Waiting, in real time, until no script runs: tests wait here instead of sleeping."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ..kernel.world import World


async def wait(world: World, limit_s: float) -> bool:
    """Whether no script runs, at the latest after ``limit_s``."""
    changed = asyncio.Event()

    def heard(kind: str, id: Any) -> None:
        changed.set()

    world.on_change.append(heard)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while world.scripts.running:
                    changed.clear()
                    await changed.wait()
    finally:
        world.on_change.remove(heard)
    return not world.scripts.running
