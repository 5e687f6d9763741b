"""The ASGI application: reads a request, passes it through the chain of exchange.py, writes the answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from .exchange import CutError, Exchange, answer_to
from .routing import Answer, RouteTable
from .world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MAX_BODY = 64 * 1024 * 1024
"""More than any API takes; each has its own limit below it."""


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

    def __init__(self, world: World, table: RouteTable) -> None:
        self.world, self.table = world, table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body = await read_body(receive)
            headers = headers_of(scope)
            exchange = Exchange(
                self.world, self.table, scope["method"], scope["path"], scope["query_string"], headers, body
            )
            await self.serve(exchange, scope, send)

    async def serve(self, exchange: Exchange, scope: Scope, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await answer_to(exchange)
        except CutError:
            scope["state"]["protocol"].transport.abort()
            return
        truncate = exchange.rule.truncate if exchange.rule else None
        # Last, as a frozen script takes no answer, and whoever has one finds its request in the log.
        await respond(scope, send, answer, truncate, head=exchange.method == "HEAD")


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, with lower-case names."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


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


async def respond(scope: Scope, send: Send, answer: Answer, truncate: int | None, head: bool) -> None:
    content, headers = answer.encoded()
    raw = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    raw.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if truncate is not None and truncate < len(content) and not head:
        await send({"type": "http.response.body", "body": content[:truncate], "more_body": True})
        scope["state"]["protocol"].transport.close()
        return
    await send({"type": "http.response.body", "body": b"" if head else content})
