"""Audit records of SCM from behind: put some in, see all that exist (visible yet or not), forget them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sectigo.scm import rules as scm

from ..kernel.clock import iso
from ..kernel.world import World
from .checks import number, refused, time_us


def inject(world: World, body: Mapping[str, Any]) -> dict[str, int]:
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise refused(400, "records: expected a list of objects.")
    visible_after_s = number(body.get("visibleAfterS"), "visibleAfterS", default=0)
    return {"injected": scm.inject(world, records, visible_after_s=visible_after_s)}


def issued(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """Everything issued in a window (both ends included), oldest first: what a test compares its logs with."""
    scm.materialise(world)
    found = scm.issued(
        world,
        time_us(query["from"], "from") if "from" in query else None,
        time_us(query["to"], "to") if "to" in query else None,
    )
    offset = int(number(query.get("offset"), "offset", default=0))
    limit = int(number(query.get("limit"), "limit", default=10_000))
    now = world.clock.now_us()
    return {
        "total": len(found),
        "records": [
            {
                "number": entry["number"],
                "visibleAt": iso(entry["visible_us"]),
                "visible": entry["visible_us"] <= now,
                "record": entry["record"],
            }
            for entry in found[offset : offset + limit]
        ],
    }


def forget(world: World) -> None:
    """Delete all records; the stream goes on from now and does not make them again."""
    scm.materialise(world)
    world.store.run("DELETE FROM scm_records")
