"""Which of SCM's audit records arrived: the local environment holds both ends, so it can compare them.

A record is ``delivered`` if a log record has its id as ``event.id``, ``waiting`` if it is younger than what the
connector says it has covered, else ``missing``; ``extra`` are further copies in the logs.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.kernel.world import World

SOURCE = "sectigo-scm"
OVERLAP_US = 300 * MICROSECONDS
"""A record that becomes visible later than this after its own time is not promised to arrive."""
MOST = 50_000


@dataclass(frozen=True)
class Delivery:
    """Times in microseconds of the records' own time."""

    delivered: list[int]
    waiting: list[int]
    missing: list[int]
    late: list[int]
    """Not delivered, but it also became visible later than the overlap."""
    extra: list[int]
    truncated: bool


def compare(world: World, since_us: int, begin_us: int | None, covered_us: int | None) -> Delivery:
    """Records since then that the connector was meant to carry: from ``begin_us`` (its first window) on."""
    now = world.clock.now_us()
    copies = in_logs(world, since_us, now)
    rows = world.store.all(
        "SELECT at_us, visible_us, wire FROM scm_records WHERE at_us BETWEEN ? AND ? AND visible_us <= ?"
        " ORDER BY at_us DESC LIMIT ?",
        max(since_us, begin_us or since_us), now, now, MOST + 1,
    )  # fmt: skip
    found = Delivery([], [], [], [], [], len(rows) > MOST)
    for row in rows[:MOST]:
        at_us, number = row["at_us"], copies.get(str(json.loads(row["wire"]).get("id")), 0)
        found.extra.extend([at_us] * (number - 1))
        if number:
            found.delivered.append(at_us)
        elif covered_us is None or at_us > covered_us:
            found.waiting.append(at_us)
        else:
            (found.late if row["visible_us"] - at_us > OVERLAP_US else found.missing).append(at_us)
    return found


def in_logs(world: World, since_us: int, now_us: int) -> Counter[str]:
    """How often each ``event.id`` is there; a log record is never older than its event."""
    rows = world.store.all(
        "SELECT json_extract(attributes, '$.\"event.id\"') AS id FROM logs"
        " WHERE source = ? AND timestamp_us >= ? AND visible_us <= ? LIMIT ?",
        SOURCE, since_us, now_us, 4 * MOST,
    )  # fmt: skip
    return Counter(str(row["id"]) for row in rows)
