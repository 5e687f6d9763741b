"""The ASGI application: dispatches requests to the route table, applies faults, keeps the request log."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from . import earlier
from .fault_answers import fault_answer
from .faults import Rule
from .identity import Principal
from .masking import masked, masked_query
from .routing import Answer, Call, Route, WireError, authenticate, authorize, parse_query
from .world import LoggedRequest, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MAX_BODY = 32 * 1024 * 1024


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol that lets the application drop its connection (fault ``cut``)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app_state = {**self.app_state, "protocol": self}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # asyncio does this only for sockets that were made with the protocol's number. Without it, head and body of an
        # answer leave in two packets, the second of which waits up to 40 ms for the client's acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class Dispatcher:
    """One instance serves clients from outside and, through the runtime's egress, running scripts."""

    def __init__(self, world: World, routes: Iterable[Route]) -> None:
        self.world = world
        self.routes = list(routes)
        self._table: dict[str, list[tuple[Any, Route]]] = {}
        for route in self.routes:
            self._table.setdefault(route.method, []).append((route.pattern(), route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self._table.get(method, ()):
            if match := pattern.match(path):
                return route, match.groupdict()
        return None

    def unknown(self, method: str, path: str) -> WireError:
        """501: this route is not simulated; why, if that is on purpose, and the closest ones are named."""
        import difflib

        from ..refused import refusal

        others = [m for m in self._table if m != method and self.find(m, path)]
        on_purpose = refusal(method, path)
        if others and not on_purpose:
            body = {"code": 405, "message": f"{path} takes {', '.join(sorted(others))}, not {method}."}
            return WireError(405, {"error": body}, {"allow": ", ".join(sorted(others))})
        close = difflib.get_close_matches(path, {route.path for route in self.routes}, n=3, cutoff=0.4)
        message = f"{method} {path} is not part of the local environment (see simulator/COVERAGE.md)."
        if on_purpose:
            message = f"{message[:-1]}: {on_purpose.why}."
            close = [on_purpose.instead] if on_purpose.instead else close
        return WireError(501, {"error": {"code": 501, "message": message, "closestRoutes": close}})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            body = await read_body(receive)
            headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
            await self.handle(
                scope, send, scope["method"], scope["path"], scope["query_string"], headers, body, None, None
            )

    async def handle(
        self,
        scope: Scope,
        send: Send,
        method: str,
        path: str,
        query: bytes,
        headers: dict[str, str],
        body: bytes | None,
        principal: Principal | None,
        execution: str | None,
    ) -> None:
        """Serve one request; ``principal`` is set for a script's calls to its own environment."""
        world = self.world
        # A request that outlives a reset is written into the log that was thrown away.
        log = world.requests
        started, began_us = time.perf_counter(), world.clock.now_us()
        found = self.find(method, path)
        api = found[0].api if found else "none"
        rule = world.faults.match(api, method, path, execution is not None)
        status, answer = 0, None
        caller = principal.shown if principal else ("script" if execution else "-")
        try:
            if rule and rule.delay_s:
                await world.clock.sleep(rule.delay_s)
            if rule and rule.script and rule.when == "before" and execution:
                await self._to_script(rule, execution)
            if rule and (rule.cut == "before" or (execution and rule.script == "kill" and rule.when == "before")):
                cut(scope)
                return
            try:
                if rule and rule.status is not None and rule.when == "before":
                    raise fault_answer(rule, rule.status, found and found[0], path)
                if body is None:
                    raise WireError(413, {"error": {"code": 413, "message": "Request entity too large"}})
                if found is None:
                    raise self.unknown(method, path)
                route, params = found
                call = Call(world, method, path, params, parse_query(query), headers, body, None, execution)
                with world.store.transaction():
                    if principal is not None and route.auth == "platform":
                        authorize(route, principal)
                        call.principal = principal
                    else:
                        call.principal = authenticate(world, route, headers)
                    caller = call.principal.shown if call.principal else caller
                    handled = route.handler(call)
                # An async handler has not begun yet: it runs here, opens its own transactions and may wait.
                answer = handled if isinstance(handled, Answer) else await handled
                if rule and rule.status is not None:
                    raise fault_answer(rule, rule.status, found and found[0], path)
            except WireError as error:
                answer = Answer(error.status, error.body, error.headers)
            if api == "scm" and world.options.scm_latency_ms:
                await asyncio.sleep(world.options.scm_latency_ms / 1000)
            if rule and rule.script and rule.when == "after" and execution:
                await self._to_script(rule, execution)
            if rule and rule.cut == "after":
                cut(scope)
                return
            if rule and rule.stale:
                answer = world.earlier.instead_of(path, query, answer)
            elif rule is None and method == "GET" and api in earlier.APIS:
                answer = world.earlier.keep(path, query, answer)
            if rule:
                answer = changed(answer, rule)
            status = answer.status
        finally:
            world.request_count += 1
            log.append(
                LoggedRequest(
                    world.request_count, began_us, api, method, masked(path),
                    masked_query(query.decode("latin-1")), status,
                    (time.perf_counter() - started) * 1000, caller, execution, rule.id if rule else None,
                )
            )  # fmt: skip
        # Last, as a frozen script takes no answer, and whoever has one finds its request in the log.
        await respond(scope, send, answer, rule.truncate if rule else None, head=method == "HEAD")

    async def _to_script(self, rule: Rule, execution: str) -> None:
        if rule.script == "kill":
            await self.world.scripts.kill(execution)
        else:
            self.world.scripts.freeze(execution)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return


async def read_body(receive: Receive) -> bytes | None:
    """The whole body; None if it is larger than ``MAX_BODY``."""
    chunks, size = [], 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks) if size <= MAX_BODY else None


def cut(scope: Scope) -> None:
    """Drop the connection without an answer."""
    scope["state"]["protocol"].transport.abort()


def changed(answer: Answer, rule: Rule) -> Answer:
    """The answer as somebody between the API and its caller would leave it."""
    content, headers = answer.encoded()
    lost = {name.lower() for name in (*rule.strip_headers, *rule.headers)}
    kept = {name: value for name, value in headers.items() if name.lower() not in lost} | rule.headers
    if not rule.gzip or not content:
        return Answer(answer.status, content or None, kept)
    return Answer(answer.status, gzip.compress(content), {**kept, "content-encoding": "gzip"})


async def respond(scope: Scope, send: Send, answer: Answer, truncate: int | None, head: bool) -> None:
    content, headers = answer.encoded()
    raw = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    raw.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if truncate is not None and truncate < len(content):
        await send({"type": "http.response.body", "body": content[:truncate], "more_body": True})
        scope["state"]["protocol"].transport.close()
        return
    await send({"type": "http.response.body", "body": b"" if head else content})
