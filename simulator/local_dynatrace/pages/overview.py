"""What the first page shows: which workflows there are, whether they run, whether log records arrive."""

from __future__ import annotations

from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.world import World
from . import executions, histogram, problems, workflows

WINDOW_S = 2 * 3600
MOST_CHARTED = 50_000


def view(world: World) -> dict[str, Any]:
    now = world.clock.now_us()
    since = now - WINDOW_S * MICROSECONDS
    recent = world.store.all(
        "SELECT timestamp_us, status FROM logs WHERE timestamp_us >= ? AND visible_us <= ? "
        "ORDER BY timestamp_us DESC LIMIT ?",
        since, now, MOST_CHARTED,
    )  # fmt: skip
    return {
        "workflows": workflows.rows(world),
        "executions": executions.rows(world, limit=8),
        "chart": histogram.chart([(row["timestamp_us"], row["status"]) for row in recent], since, now),
        "figures": [
            *(figure for plugin in world.plugins for figure in plugin.pages.figures(world)),
            ("Open problems", problems.active(world), executions.PROBLEMS),
            ("Log records", count(world, "logs"), "/ui/apps/dynatrace.logs"),
            ("Vault entries", count(world, "credentials"), "/ui/apps/dynatrace.credential.vault"),
            ("Executions", count(world, "executions"), executions.EXECUTIONS),
            ("Requests served", world.request_count, "/_sim/ui/requests"),
        ],
    }


def count(world: World, table: str) -> int:
    row = world.store.one(f"SELECT count(*) AS number FROM {table}")
    assert row is not None
    return int(row["number"])
