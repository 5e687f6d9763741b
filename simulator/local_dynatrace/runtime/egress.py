"""The second loopback listener: everything a script fetches comes here and goes on to what its URL names.

It serves only processes that this environment started, which it knows by an unguessable word in each request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from ..kernel.exchange import Exchange
from ..kernel.identity import Principal
from ..kernel.routing import scopes_of
from ..kernel.server import Dispatcher, Receive, Scope, Send, headers_of, read_body
from ..kernel.world import World
from .destinations import NotFoundError, RefusedError, resolve
from .run import Run
from .scripts import Scripts

NOT_PASSED_ON = ("x-dt-execution", "x-dt-target", "x-dt-request", "x-dt-relative", "host", "connection")


class Egress:
    """An ASGI application."""

    def __init__(self, world: World, dispatcher: Dispatcher, scripts: Scripts) -> None:
        self.world, self.dispatcher, self.scripts = world, dispatcher, scripts
        self._all_scopes = frozenset(scope for route in dispatcher.table.routes for scope in scopes_of(route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.dispatcher(scope, receive, send)
            return
        headers = headers_of(scope)
        run = self.scripts.by_nonce(headers.get("x-dt-execution", ""))
        number, task = headers.get("x-dt-request", ""), asyncio.current_task()
        if run is None or task is None or not number.isdecimal():
            await answer(send, 403, "This listener serves scripts of workflows only.")
            return
        body = await read_body(receive)
        run.requests[int(number)] = task
        try:
            await self._serve(scope, send, run, headers, body)
        finally:
            del run.requests[int(number)]

    async def _serve(self, scope: Scope, send: Send, run: Run, headers: dict[str, str], body: bytes | None) -> None:
        try:
            to = resolve(self.world, headers.get("x-dt-target", ""), "x-dt-relative" in headers)
        except RefusedError as refused:
            await answer(send, 400, str(refused), refused=True)
            return
        except NotFoundError:
            await answer(send, 404, "Not found")
            return

        async def send_with_time(message: MutableMapping[str, Any]) -> None:
            # An answer must not overtake the time at which it was given: the script would set its timers too early.
            if message["type"] == "http.response.start":
                # One that waited in a stopped process would bring the time before the stop.
                await run.awake.wait()
                clock = (b"x-dt-clock", json.dumps(run.clock()).encode())
                message = {**message, "headers": [*message["headers"], clock]}
            await send(message)

        passed_on = {name: value for name, value in headers.items() if name not in NOT_PASSED_ON}
        exchange = Exchange(
            self.world, self.dispatcher.table, scope["method"], to.path, to.query, passed_on, body,
            self._actor(run) if to.as_actor else None, run.job.execution_id,
        )  # fmt: skip
        await self.dispatcher.serve(exchange, scope, send_with_time)

    def _actor(self, run: Run) -> Principal:
        """Who a script is to its own environment: the workflow's actor, limited by permissions and not by a token."""
        return Principal(
            run.job.actor, "bearer", self.world.identity.permissions(run.job.actor),
            f"workflow:{run.job.execution_id}", self._all_scopes,
        )  # fmt: skip


async def answer(send: Send, status: int, text: str, *, refused: bool = False) -> None:
    """An answer of the egress itself; ``refused`` makes it an exception in the script."""
    content = text.encode("utf-8", "replace")
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(content)).encode())]
    headers += [(b"x-dt-refused", b"true")] if refused else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
