"""Routes of the control API for the state as a whole and for presets of faults."""

from __future__ import annotations

from ..kernel.routing import Answer, Call, Route
from . import diff as differences
from . import dump, presets, state
from .checks import body_object, flag
from .routes import route


def get_state(call: Call) -> Answer:
    return Answer(200, state.export(call.world))


async def put_state(call: Call) -> Answer:
    return Answer(200, {"lostSecrets": await state.restore(call.world, body_object(call))})


def post_diff(call: Call) -> Answer:
    """``before`` against ``after``, or against the present state where that is left out."""
    body = body_object(call, "before", "after")
    before = differences.dump_of(body.get("before"), "before")
    after = differences.dump_of(body["after"], "after") if "after" in body else dump.dump(call.world, flag(call, "all"))
    return Answer(200, differences.diff(before, after))


def get_presets(call: Call) -> Answer:
    return Answer(200, {"presets": presets.shown(call.world)})


def post_preset(call: Call) -> Answer:
    presets.switch_on(call.world, call.table, call.params["name"])
    return Answer(200, {"presets": presets.shown(call.world)})


def delete_preset(call: Call) -> Answer:
    presets.switch_off(call.world, call.params["name"])
    return Answer(204)


ROUTES: list[Route] = [
    route("GET", "state", get_state, "everything, readable, without secrets"),
    route("PUT", "state", put_state, "put such a document back"),
    route("POST", "diff", post_diff, "difference of two dumps, or of one and now"),
    route("GET", "presets", get_presets, "incidents to rehearse"),
    route("POST", "presets/{name}", post_preset, "switch one on"),
    route("DELETE", "presets/{name}", delete_preset, "switch it off"),
]
