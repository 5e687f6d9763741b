"""Control routes of SCM: inject audit records, list all that exist (visible yet or not), delete them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_dynatrace.control.checks import body_object, number, refused, time_us
from local_dynatrace.control.routes import route
from local_dynatrace.kernel.clock import iso
from local_dynatrace.kernel.routing import Answer, Call, Route
from local_dynatrace.kernel.world import World

from . import records as stored
from . import stream


def inject(world: World, body: Mapping[str, Any]) -> dict[str, int]:
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise refused(400, "records: expected a list of objects.")
    visible_after_s = number(body.get("visibleAfterS"), "visibleAfterS", default=0)
    return {"injected": stored.inject(world, records, visible_after_s=visible_after_s)}


def issued(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """Everything issued in a window (both ends included), oldest first: what a test compares its logs with."""
    stream.materialise(world)
    found = stored.issued(
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
    stream.materialise(world)
    world.store.run("DELETE FROM scm_records")


def post_records(call: Call) -> Answer:
    return Answer(201, inject(call.world, body_object(call, "records", "visibleAfterS")))


def get_records(call: Call) -> Answer:
    return Answer(200, issued(call.world, call.query))


def delete_records(call: Call) -> Answer:
    forget(call.world)
    return Answer(204)


ROUTES: list[Route] = [
    route("POST", "scm/records", post_records, "inject audit records, visible now or later"),
    route("GET", "scm/records", get_records, "every audit record issued, visible or not"),
    route("DELETE", "scm/records", delete_records, "forget all audit records"),
]
