"""The legs of a chain: executions that started each other, because one run ends before the platform's kill.

A leg's input names its number (``leg``), the execution before it (``previous``) and when the chain began
(``chainStarted``); the first leg has none of them.
"""

from __future__ import annotations

import json
from typing import Any

from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.kernel.store import Row
from local_dynatrace.kernel.world import World
from local_dynatrace.pages.executions import seconds

from . import ledger

MOST = 60
WIDTH = 1000


def previous(execution: Row) -> str | None:
    given = json.loads(execution["input"])
    found = given.get("previous") if isinstance(given, dict) else None
    return found if isinstance(found, str) and found else None


def of(world: World, execution: Row) -> list[Row]:
    """All legs of the chain that an execution belongs to, the first one first; one alone is no chain."""
    legs, known = [execution], {execution["id"]}
    while len(legs) < MOST and (id := previous(legs[0])):
        before = world.store.one("SELECT * FROM executions WHERE id = ?", id)
        if before is None or before["id"] in known:
            break
        known.add(before["id"])
        legs.insert(0, before)
    while len(legs) < MOST:
        after = world.store.one(
            "SELECT * FROM executions WHERE workflow = ? AND json_extract(input, '$.previous') = ?"
            " ORDER BY number LIMIT 1",
            execution["workflow"], legs[-1]["id"],
        )  # fmt: skip
        if after is None or after["id"] in known:
            break
        known.add(after["id"])
        legs.append(after)
    return legs


def view(world: World, execution: Row) -> dict[str, Any] | None:
    """The chain as rows and bars on one scale of time; None where there is only one leg."""
    legs = of(world, execution)
    if len(legs) < 2:
        return None
    now = world.clock.now_us()
    begin = legs[0]["started_us"]
    end = max(leg["ended_us"] or now for leg in legs)
    span = max(1, end - begin)
    told = ledger.records(world, execution["workflow"], begin)
    rows = []
    for number, leg in enumerate(legs, 1):
        run = ledger.run(world, leg, told.get(leg["id"]))
        x = (leg["started_us"] - begin) * WIDTH // span
        width = max(6, ((leg["ended_us"] or now) - leg["started_us"]) * WIDTH // span)
        rows.append(
            {
                "number": number, "run": run, "here": leg["id"] == execution["id"],
                "x": min(x, WIDTH - width), "width": width,
                "seconds": seconds(world, leg["started_us"], leg["ended_us"]),
            }
        )  # fmt: skip
    here = next(index for index, row in enumerate(rows) if row["here"])
    return {
        "legs": rows,
        "number": here + 1,
        "before": rows[here - 1]["run"].href if here else None,
        "after": rows[here + 1]["run"].href if here + 1 < len(rows) else None,
        "sent": sum(row["run"].sent for row in rows),
        "seconds": span / MICROSECONDS,
        "alive": any(row["run"].alive for row in rows),
    }
