"""The way of one request through the environment, as a chain of small steps.

    request log -> faults -> latency -> routing -> transaction (authentication, handler) -> answer

A step gets the exchange and the rest of the chain; it answers itself, passes the exchange on, or changes the answer.
``WireError`` is an answer that is an error; ``CutError`` ends the connection without an answer. The last step, which
writes the answer, is in server.py.
"""

from __future__ import annotations

import asyncio
import difflib
import gzip
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import partial

from ..refused import refusal
from . import earlier
from .fault_answers import fault_answer
from .faults import Rule
from .identity import Principal
from .masking import masked, masked_query
from .routing import OWN_APIS, Answer, Call, Route, RouteTable, WireError, authenticate, authorize, parse_query
from .world import COPIES, COPY_BYTES, Copy, LoggedRequest, World


@dataclass
class Exchange:
    """One request and what the steps find out about it."""

    world: World
    table: RouteTable
    method: str
    path: str
    query: bytes
    headers: dict[str, str]
    """Lower-case names."""
    body: bytes | None
    """None: it was too large."""
    actor: Principal | None = None
    """Set for a script's calls to its own environment, which carry no token."""
    execution: str | None = None
    """Set for all calls of a script."""
    route: Route | None = field(init=False)
    params: dict[str, str] = field(init=False)
    rule: Rule | None = field(default=None, init=False)
    """The fault rule that hits this request."""
    caller: str = field(init=False)

    def __post_init__(self) -> None:
        self.route, self.params = self.table.find(self.method, self.path) or (None, {})
        self.caller = self.actor.shown if self.actor else ("script" if self.execution else "-")

    @property
    def api(self) -> str:
        return self.route.api if self.route else "none"


class CutError(Exception):
    """The connection is dropped without an answer."""


Rest = Callable[[Exchange], Awaitable[Answer]]
Step = Callable[[Exchange, Rest], Awaitable[Answer]]


async def log_request(exchange: Exchange, rest: Rest) -> Answer:
    """Write one line of the request log, whatever happens."""
    world = exchange.world
    # A request that outlives a reset is written into the log that was thrown away.
    log = world.requests
    started, began_us, status = time.perf_counter(), world.clock.now_us(), 0
    copy = None
    try:
        answer = await rest(exchange)
        status = answer.status
        if exchange.api not in OWN_APIS:
            content, headers = answer.encoded()
            answer = Answer(status, content or None, headers)
            copy = copied(exchange, headers, content)
        return answer
    finally:
        world.request_count += 1
        log.append(
            LoggedRequest(
                world.request_count, began_us, exchange.api, exchange.method, masked(exchange.path),
                masked_query(exchange.query.decode("latin-1")), status, (time.perf_counter() - started) * 1000,
                exchange.caller, exchange.execution, *(told(exchange.rule) if exchange.rule else (None,)),
            )
        )  # fmt: skip
        log[-1].copy = copy or copied(exchange, {}, b"")
        if len(log) > COPIES:
            log[-COPIES - 1].copy = None


def copied(exchange: Exchange, headers: Mapping[str, str], content: bytes) -> Copy | None:
    """What the request and its answer said; None for the environment's own pages and API."""
    if exchange.api in OWN_APIS:
        return None
    given: dict[str, str] = {
        name: exchange.headers[name] for name in ("content-type", "accept") if name in exchange.headers
    }
    if scheme := exchange.headers.get("authorization", "").partition(" ")[0]:
        given["authorization"] = scheme
    body = exchange.body or b""
    request, answer = (text if len(text) <= COPY_BYTES else None for text in (body, content))
    return Copy(given, request, len(body), dict(headers), answer, len(content))


def told(rule: Rule) -> tuple[int, str, str, bool]:
    """What the log says of the rule that hit a request; the rule may be gone when somebody asks."""
    return rule.id, rule.note, rule.effect(), rule.script == "kill"


async def inject_faults(exchange: Exchange, rest: Rest) -> Answer:
    """Apply the fault rule that hits this request, if one does."""
    world = exchange.world
    rule = world.faults.match(exchange.api, exchange.method, exchange.path, exchange.execution is not None)
    exchange.rule = rule
    if rule is None:
        answer = await rest(exchange)
        reads = exchange.method == "GET" and exchange.api in earlier.APIS
        return world.earlier.keep(exchange.path, exchange.query, answer) if reads else answer
    if rule.delay_s:
        await world.clock.sleep(rule.delay_s)
    await _steer_script(exchange, rule, "before")
    if rule.cut == "before" or (exchange.execution and rule.script == "kill" and rule.when == "before"):
        raise CutError
    answer = await rest(exchange)
    await _steer_script(exchange, rule, "after")
    if rule.cut == "after":
        raise CutError
    if rule.stale:
        answer = world.earlier.instead_of(exchange.path, exchange.query, answer)
    return _changed(answer, rule)


async def _steer_script(exchange: Exchange, rule: Rule, when: str) -> None:
    if not (rule.script and rule.when == when and exchange.execution):
        return
    if rule.script == "kill":
        await exchange.world.scripts.kill(exchange.execution)
    else:
        exchange.world.scripts.freeze(exchange.execution)


def _changed(answer: Answer, rule: Rule) -> Answer:
    """The answer after a faulty proxy between the API and its caller."""
    content, headers = answer.encoded()
    lost = {name.lower() for name in (*rule.strip_headers, *rule.headers)}
    kept = {name: value for name, value in headers.items() if name.lower() not in lost} | rule.headers
    if not rule.gzip or not content:
        return Answer(answer.status, content or None, kept)
    return Answer(answer.status, gzip.compress(content), {**kept, "content-encoding": "gzip"})


async def add_latency(exchange: Exchange, rest: Rest) -> Answer:
    """Answer later, in real time, where a plug-in says so."""
    answer = await rest(exchange)
    if seconds := sum(plugin.latency_s(exchange.world, exchange.api) for plugin in exchange.world.plugins):
        await asyncio.sleep(seconds)
    return answer


async def state_the_time(exchange: Exchange, rest: Rest) -> Answer:
    """The header ``Date``, by the environment's clock. A script's calls get it from the APIs alone that model it: what
    the platform's runtime hands on of its own answers is UNVERIFIED."""
    answer = await rest(exchange)
    if exchange.execution is None and not any(name.lower() == "date" for name in answer.headers):
        answer.headers = {**answer.headers, "Date": format_datetime(exchange.world.clock.now(), usegmt=True)}
    return answer


async def turn_errors_into_answers(exchange: Exchange, rest: Rest) -> Answer:
    try:
        return await rest(exchange)
    except WireError as error:
        return Answer(error.status, error.body, error.headers)


async def replace_answer(exchange: Exchange, rest: Rest) -> Answer:
    """The status of a fault rule, instead of the API's work or after it. An API's own refusal comes first."""
    rule = exchange.rule
    if rule is None or rule.status is None:
        return await rest(exchange)
    if rule.when == "after":
        await rest(exchange)
    raise fault_answer(rule, rule.status, exchange.route, exchange.path)


async def check_route(exchange: Exchange, rest: Rest) -> Answer:
    """Refuse a body that is too large, and a path that no route has."""
    if exchange.body is None:
        raise WireError(413, {"error": {"code": 413, "message": "Request entity too large"}})
    if exchange.route is None:
        raise unknown(exchange.table, exchange.method, exchange.path)
    return await rest(exchange)


async def call_handler(exchange: Exchange) -> Answer:
    """Authenticate and handle in one transaction, which is committed before the answer leaves."""
    world, route = exchange.world, exchange.route
    assert route is not None and exchange.body is not None
    call = Call(
        world, exchange.method, exchange.path, exchange.params, parse_query(exchange.query), exchange.headers,
        exchange.body, None, exchange.execution, exchange.table,
    )  # fmt: skip
    try:
        with world.store.transaction():
            identify(exchange, route, call)
            handled = route.handler(call)
    except WireError:
        world.ids.remember()  # the refusal's id is not used again
        raise
    # An async handler has not begun yet: it runs here, opens its own transactions and may wait.
    return handled if isinstance(handled, Answer) else await handled


def identify(exchange: Exchange, route: Route, call: Call) -> None:
    """Who calls, and whether it may. Raises the platform's refusals."""
    if exchange.actor is not None and route.auth == "platform":
        authorize(route, exchange.actor)
        call.principal = exchange.actor
    else:
        call.principal = authenticate(exchange.world, route, call)
    if call.principal:
        exchange.caller = call.principal.shown


def unknown(table: RouteTable, method: str, path: str) -> WireError:
    """405 for a known path; else 501, which names the closest routes, and the reason where it is refused on purpose."""
    others = sorted({route.method for route in table.at(path)})
    on_purpose = refusal(method, path)
    if others and not on_purpose:
        body = {"code": 405, "message": f"{path} takes {', '.join(others)}, not {method}."}
        return WireError(405, {"error": body}, {"allow": ", ".join(others)})
    close = difflib.get_close_matches(path, {route.path for route in table.routes}, n=3, cutoff=0.4)
    message = f"{method} {path} is not part of the local environment (see simulator/COVERAGE.md)."
    if on_purpose:
        message = f"{message[:-1]}: {on_purpose.why}."
        close = [on_purpose.instead] if on_purpose.instead else close
    return WireError(501, {"error": {"code": 501, "message": message, "closestRoutes": close}})


def chained(steps: Sequence[Step], last: Rest) -> Rest:
    """One function that passes an exchange through all steps."""
    for step in reversed(steps):
        last = partial(_passed, step, last)
    return last


async def _passed(step: Step, rest: Rest, exchange: Exchange) -> Answer:
    return await step(exchange, rest)


answer_to: Rest = chained(
    (log_request, inject_faults, add_latency, state_the_time, turn_errors_into_answers, replace_answer, check_route),
    call_handler,
)
"""The whole chain. Raises CutError."""
