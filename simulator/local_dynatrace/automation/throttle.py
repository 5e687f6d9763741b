"""The hourly execution limit of a workflow: how many runs the last hour saw (facts: dynatrace-runtime 6)."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.clock import MICROSECONDS, iso
from ..kernel.store import Row
from ..kernel.world import World

HOUR_US = 3600 * MICROSECONDS


def reset(world: World, workflow: str) -> None:
    """Forget the runs so far."""
    world.store.run(
        "UPDATE workflows SET counted_from = (SELECT coalesce(max(number), 0) FROM executions) WHERE id = ?", workflow
    )


def event(world: World, workflow: Row) -> dict[str, Any] | None:
    """The limit event under way, in its wire form; None while the workflow may run."""
    limit = json.loads(workflow["definition"])["hourlyExecutionLimit"]
    if limit is None:
        return None
    now = world.clock.now_us()
    last = world.store.all(
        "SELECT started_us FROM executions WHERE workflow = ? AND started_us > ? AND number > ? "
        "ORDER BY number DESC LIMIT ?",
        workflow["id"], now - HOUR_US, workflow["counted_from"], int(limit),
    )  # fmt: skip
    if len(last) < int(limit):
        return None
    free_at = last[-1]["started_us"] + HOUR_US
    return {
        "timestamp": iso(last[0]["started_us"]),
        "limit": int(limit),
        "timeLeftInSeconds": max(0, -(-(free_at - now) // MICROSECONDS)),
        "type": "workflow",
    }
