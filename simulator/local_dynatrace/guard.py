"""Keeps other web sites out: the Host must be this listener, and pages of other origins may change nothing.

A browser that a foreign name sends to 127.0.0.1 (DNS rebinding) has that name as Host; a foreign page that posts to
127.0.0.1 has its own Origin. Clients that are not browsers send no Origin and are not affected. Names that others use
for this machine are given with ``--allowed-host``.
"""

from __future__ import annotations

import json
import re

from .kernel.server import Dispatcher, Receive, Scope, Send
from .kernel.world import World

NAMES = ("127.0.0.1", "localhost", "[::1]")
VENDORS = (".dynatrace.com", ".dynatracelabs.com")
"""Clients that are redirected here keep the host name they mean; plug-ins add their domains. Nobody but the vendors can
point names of these domains at a loopback address."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LIVE_HOST = re.compile(r"[^.]+\.(live\.dynatrace\.com|(sprint|dev)\.dynatracelabs\.com)")
NOT_ON_LIVE_HOST = ("/platform/", "/sso/")
PAGE = b"<!DOCTYPE html><html><head><title>Dynatrace</title></head><body></body></html>"


class Guard:
    """The ASGI application of the public listener: refuses, or hands on to the dispatcher."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self.world, self.dispatcher = world, dispatcher
        self.domains = (*VENDORS, *(domain for plugin in world.plugins for domain in plugin.domains))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if refused := self.refusal(scope):
                status, message = refused
                body = json.dumps({"error": {"code": status, "message": message}}).encode()
                await answer(send, status, "application/json", body)
                return
            if is_platform_on_live_host(scope):
                await answer(send, 200, "text/html", PAGE)
                return
        await self.dispatcher(scope, receive, send)

    def is_own(self, host: str) -> bool:
        """Whether a name with its port is this listener's, or one that was allowed; that one may lack the port."""
        options = self.world.options
        if host in [f"{name}:{options.port}" for name in (*NAMES, options.address)]:
            return True
        return any(allowed in (host, without_port(host)) for allowed in options.allowed_hosts)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        host, headers = host_of(scope), dict(scope["headers"])
        if not self.is_own(host) and not host.partition(":")[0].endswith(self.domains):
            own = f"{self.world.options.address}:{self.world.options.port}"
            return (
                421,
                f"This listener is {own}; it does not answer for '{host}' (--allowed-host allows a name).",
            )
        if scope["method"] in SAFE_METHODS:
            return None
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        scheme, _, name = origin.partition("://")
        if origin and not (scheme in ("http", "https") and self.is_own(name)):
            return 403, f"Requests from pages of another origin ({origin}) change nothing here."
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            return 403, "Requests from pages of another site change nothing here."
        return None


def without_port(host: str) -> str:
    """``[::1]`` of ``[::1]:8787``."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def host_of(scope: Scope) -> str:
    """Name and port, as the client gave them."""
    host: bytes = dict(scope["headers"]).get(b"host", b"")
    return host.decode("latin-1").lower()


def is_platform_on_live_host(scope: Scope) -> bool:
    """The live host knows the classic API only; every other path is its web page, with 200 (facts: dynatrace-api 1)."""
    name = host_of(scope).partition(":")[0]
    return bool(LIVE_HOST.fullmatch(name)) and str(scope["path"]).startswith(NOT_ON_LIVE_HOST)


async def answer(send: Send, status: int, kind: str, body: bytes) -> None:
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
