"""Keeps other web sites out: the Host must be this listener, and nobody else's page may change anything.

A browser that is led to 127.0.0.1 by a foreign name (DNS rebinding) sends that name as Host; a foreign page that posts
to 127.0.0.1 sends its own Origin. Clients that are no browsers send no Origin and are not affected.
"""

from __future__ import annotations

import json

from .kernel.server import Dispatcher, Receive, Scope, Send
from .kernel.world import World

NAMES = ("127.0.0.1", "localhost", "[::1]")
VENDORS = (".dynatrace.com", ".dynatracelabs.com", ".sectigo.com")
"""Clients that are led here (SECTIGO_DYNATRACE_CONNECT_TO) keep the host they mean. Nobody but the vendors can point
names of these domains at a loopback address."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """The ASGI application of the public listener: refuses, or hands on to the dispatcher."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self.world, self.dispatcher = world, dispatcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self.refusal(scope) if scope["type"] == "http" else None
        if refused is None:
            await self.dispatcher(scope, receive, send)
            return
        status, message = refused
        body = json.dumps({"error": {"code": status, "message": message}}).encode()
        headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        own = [f"{name}:{self.world.options.port}" for name in NAMES]
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host not in own and not host.partition(":")[0].endswith(VENDORS):
            return 421, f"This listener is {own[0]}; it does not answer for '{host}'."
        if scope["method"] in SAFE_METHODS:
            return None
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and origin not in [f"http://{name}" for name in own]:
            return 403, f"Requests from pages of another origin ({origin}) change nothing here."
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            return 403, "Requests from pages of another site change nothing here."
        return None
