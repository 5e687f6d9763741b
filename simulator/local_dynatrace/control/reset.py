"""Back to the seed, without a restart."""

from __future__ import annotations

from .. import seed
from ..kernel import timekeeping
from ..kernel.world import World, new_request_log


async def reset(world: World) -> None:
    """Kill scripts, empty all tables, plant the seed; options, faults and request log become as at the start.

    The clock keeps its mode and goes back to its beginning.
    """
    await world.scripts.kill_all()
    with world.store.transaction():
        for table in world.store.tables():
            world.store.run(f'DELETE FROM "{table}"')
        world.store.run("DELETE FROM sqlite_sequence")
    forget(world)
    world.options.change(world.options_at_start)
    timekeeping.begin(world.clock, world.clock.mode)
    with world.store.transaction():
        seed.plant(world)
    world.changed("options")
    world.changed("reset")


def forget(world: World) -> None:
    """Drop what is in memory only."""
    world.faults.clear()
    world.earlier.clear()
    world.requests = new_request_log()
    world.ids.begin_again()
