"""Keeps other web sites out: the Host must be this listener, and nobody else's page may change anything.

A browser that is led to 127.0.0.1 by a foreign name (DNS rebinding) sends that name as Host; a foreign page that posts
to 127.0.0.1 sends its own Origin. Clients that are no browsers send no Origin and are not affected.
"""

from __future__ import annotations

import json
import re

from .kernel.server import Dispatcher, Receive, Scope, Send
from .kernel.world import World

NAMES = ("127.0.0.1", "localhost", "[::1]")
VENDORS = (".dynatrace.com", ".dynatracelabs.com", ".sectigo.com")
"""Clients that are led here (SECTIGO_DYNATRACE_CONNECT_TO) keep the host they mean. Nobody but the vendors can point
names of these domains at a loopback address."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LIVE_HOST = re.compile(r"[^.]+\.(live\.dynatrace\.com|(sprint|dev)\.dynatracelabs\.com)")
NOT_ON_LIVE_HOST = ("/platform/", "/sso/")
PAGE = b"<!DOCTYPE html><html><head><title>Dynatrace</title></head><body></body></html>"


class Guard:
    """The ASGI application of the public listener: refuses, or hands on to the dispatcher."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self.world, self.dispatcher = world, dispatcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self.refusal(scope) if scope["type"] == "http" else None
        if refused is None and scope["type"] == "http" and is_platform_on_live_host(scope):
            await send_page(send)
            return
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


def host_of(scope: Scope) -> str:
    host: bytes = dict(scope["headers"]).get(b"host", b"")
    return host.decode("latin-1").lower().partition(":")[0]


def is_platform_on_live_host(scope: Scope) -> bool:
    """The live host knows the classic API only; all else there is its web page, with 200 (facts: dynatrace-api 1)."""
    return bool(LIVE_HOST.fullmatch(host_of(scope))) and str(scope["path"]).startswith(NOT_ON_LIVE_HOST)


async def send_page(send: Send) -> None:
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(PAGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE})
