"""The control API's route table and handlers: HTTP in and out only."""

from __future__ import annotations

import asyncio

from ..kernel.clock import MICROSECONDS
from ..kernel.routing import Answer, Call, Handler, Route
from ..kernel.world import new_request_log
from . import dump as dumps
from . import faults, identities, idle
from . import requests as log
from . import reset as resetting
from .checks import MOST, body_object, clock_us, flag, number, refused, time_us
from .health import clock, health

IDLE_LIMIT_S = 50.0
"""Below the time-out of usual HTTP clients."""
MODES = ("running", "frozen", "auto")


def get_health(call: Call) -> Answer:
    return Answer(200 if call.world.ready else 503, health(call.world, call.table))


async def reset(call: Call) -> Answer:
    await resetting.reset(call.world)
    return Answer(200, health(call.world, call.table))


def get_options(call: Call) -> Answer:
    return Answer(200, call.world.options.shown())


def patch_options(call: Call) -> Answer:
    try:
        call.world.options.change(body_object(call))
    except ValueError as error:
        raise refused(400, str(error)) from None
    call.world.changed("options")
    return Answer(200, call.world.options.shown())


def get_clock(call: Call) -> Answer:
    return Answer(200, clock(call.world))


async def post_clock(call: Call) -> Answer:
    body = body_object(call, "mode", "jump", "step")
    if not body:
        raise refused(400, "Give mode, jump or step.")
    if "jump" in body and "step" in body:
        raise refused(400, "Give jump or step, not both.")
    mode = body.get("mode", call.world.clock.mode)
    if mode not in MODES:
        raise refused(400, f"mode: expected one of {', '.join(MODES)}.")
    to_us = None
    if "jump" in body:
        to_us = clock_us(time_us(body["jump"], "jump"))
    elif "step" in body:
        step_s = number(body["step"], "step", least=-MOST)
        to_us = clock_us(call.world.clock.now_us() + round(step_s * MICROSECONDS))
    if mode != call.world.clock.mode:
        call.world.clock.set_mode(mode)
    if to_us is not None:
        call.world.clock.jump(to_us)
    # Whoever waited for this moment (schedules, limits) gets its turn before the caller looks.
    for _ in range(5):
        await asyncio.sleep(0)
    call.world.changed("clock")
    return Answer(200, clock(call.world))


def get_faults(call: Call) -> Answer:
    return Answer(200, {"faults": [rule.shown() for rule in call.world.faults.rules]})


def post_fault(call: Call) -> Answer:
    rule = faults.add(call.world, call.table, call.json())
    call.world.changed("faults", rule.id)
    return Answer(201, rule.shown())


def delete_faults(call: Call) -> Answer:
    call.world.faults.clear()
    call.world.changed("faults")
    return Answer(204)


def delete_fault(call: Call) -> Answer:
    number_ = call.params["id"]
    if not number_.isdecimal() or not call.world.faults.remove(int(number_)):
        raise refused(404, f"There is no fault rule {number_}.")
    call.world.changed("faults")
    return Answer(204)


def get_requests(call: Call) -> Answer:
    found = log.lines(call.world, log.Filter.of(call.query))
    return Answer(200, {"requests": [log.shown(line, call.table) for line in found], "last": call.world.request_count})


def delete_requests(call: Call) -> Answer:
    call.world.requests = new_request_log()
    return Answer(204)


def post_identities(call: Call) -> Answer:
    return Answer(201, identities.add(call.world, body_object(call, *identities.kinds(call.world))))


def patch_api_token(call: Call) -> Answer:
    return Answer(
        200,
        identities.change_api_token(call.world, call.params["id"], body_object(call, "enabled", "expirationDate")),
    )


async def kill(call: Call) -> Answer:
    await call.world.scripts.kill(running(call))
    return Answer(204)


def freeze(call: Call) -> Answer:
    call.world.scripts.freeze(running(call))
    return Answer(204)


def thaw(call: Call) -> Answer:
    call.world.scripts.thaw(running(call))
    return Answer(204)


def running(call: Call) -> str:
    """The path's execution, if its script is alive."""
    if call.params["id"] not in call.world.scripts.running:
        raise refused(404, f"No script of execution {call.params['id']} is running.")
    return call.params["id"]


async def get_idle(call: Call) -> Answer:
    limit_s = min(number(call.query.get("timeout_s"), "timeout_s", default=10), IDLE_LIMIT_S)
    done = await idle.wait(call.world, limit_s)
    return Answer(200, {"idle": done, "running": sorted(call.world.scripts.running)})


def get_dump(call: Call) -> Answer:
    return Answer(200, dumps.dump(call.world, flag(call, "all")))


def route(method: str, path: str, handler: Handler, note: str) -> Route:
    return Route(method, f"/_sim/{path}", handler, "control", "own", source="local environment only", note=note)


ROUTES: list[Route] = [
    route("GET", "health", get_health, "what runs; 503 until everything has started"),
    route("POST", "reset", reset, "back to the seed; the clock keeps its mode"),
    route("GET", "options", get_options, "all options with their present values"),
    route("PATCH", "options", patch_options, "change options while running"),
    route("GET", "clock", get_clock, "mode and time"),
    route("POST", "clock", post_clock, "mode, jump, step"),
    route("GET", "faults", get_faults, "fault rules with their counts"),
    route("POST", "faults", post_fault, "add a fault rule"),
    route("DELETE", "faults", delete_faults, "remove all fault rules"),
    route("DELETE", "faults/{id}", delete_fault, "remove one fault rule"),
    route("GET", "requests", get_requests, "request log, filtered"),
    route("DELETE", "requests", delete_requests, "empty the request log"),
    route("POST", "identities", post_identities, "add users, API tokens, OAuth clients"),
    route("PATCH", "api-tokens/{id}", patch_api_token, "enable, disable, let expire"),
    route("POST", "executions/{id}/kill", kill, "kill a running script"),
    route("POST", "executions/{id}/freeze", freeze, "stop a running script's process"),
    route("POST", "executions/{id}/thaw", thaw, "let a frozen script go on"),
    route("GET", "idle", get_idle, "wait until no script runs"),
    route("GET", "dump", get_dump, "all state as JSON, without secrets"),
]
