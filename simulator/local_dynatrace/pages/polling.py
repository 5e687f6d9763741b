"""When a page refreshes."""

from __future__ import annotations

from ..kernel.routing import Call

RUNNING_MS, LONGEST_MS = 2000, 60_000
"""The interval while something runs, and the longest one while waiting for a schedule."""


def poll_ms(call: Call, busy: bool) -> int:
    """Soon while something runs; else when a schedule or a detector is due; never if nothing will happen by itself."""
    if busy or call.world.scripts.running:
        return RUNNING_MS
    due = call.world.store.one(
        "SELECT min(at) AS at FROM (SELECT next_us AS at FROM workflows UNION SELECT due_us FROM davis_detectors)"
    )
    if call.world.clock.mode != "running" or not call.world.options.scheduler or not due or due["at"] is None:
        return 0
    return int(max(RUNNING_MS, min(LONGEST_MS, (due["at"] - call.world.clock.now_us()) // 1000 + 500)))
