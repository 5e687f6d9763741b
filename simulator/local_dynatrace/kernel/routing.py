"""Routes, calls and answers; authentication and scopes.

An API module declares a table of ``Route``s and nothing else about HTTP; its handlers are plain functions
``(Call) -> Answer`` that raise ``WireError`` with the API's own envelope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from .identity import PLATFORM, Principal
from .nesting import read_json

if TYPE_CHECKING:
    from .world import World

Auth = Literal["classic", "platform", "own"]
"""classic: ``Api-Token``; platform: ``Bearer`` of SSO; own: the handler checks by itself (SSO, pages, control)."""
TOKEN_PARAMETER = "api-token"
OWN_APIS = ("control", "pages")
"""No vendor's: how the local environment itself is steered and looked at."""
JSON = {"content-type": "application/json; charset=utf-8"}


class WireError(Exception):
    """An answer that is an error, exactly as it goes over the wire."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, dict(headers or {})


def classic_error(status: int, message: str, violations: list[dict[str, Any]] | None = None) -> WireError:
    """``{"error": {"code", "message", "constraintViolations"?}}`` (facts: dynatrace-api 9)."""
    error: dict[str, Any] = {"code": status, "message": message}
    if violations:
        error["constraintViolations"] = violations
    return WireError(status, {"error": error})


def platform_error(status: int, message: str, details: Any = None) -> WireError:
    """``{"error": {"code", "message", "details"?}}`` (facts: dynatrace-api 5.5, 9)."""
    error: dict[str, Any] = {"code": status, "message": message}
    if details is not None:
        error["details"] = details
    return WireError(status, {"error": error})


@dataclass
class Answer:
    """``body``: None (empty), bytes/str (as they are, give a content-type) or anything JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        if self.body is None:
            return b"", self.headers
        if isinstance(self.body, bytes):
            return self.body, self.headers
        if isinstance(self.body, str):
            return self.body.encode("utf-8", "replace"), self.headers
        return json.dumps(self.body, ensure_ascii=False).encode("utf-8", "replace"), {**JSON, **self.headers}


@dataclass
class Call:
    """A request as a handler sees it."""

    world: World
    method: str
    path: str
    params: dict[str, str]
    """Named parts of the path."""
    query_list: list[tuple[str, str]]
    headers: dict[str, str]
    """Lower-case names."""
    body: bytes
    principal: Principal | None = None
    execution: str | None = None
    """Id of the workflow execution whose script makes the call; None for clients outside."""
    table: RouteTable = field(default_factory=lambda: RouteTable(()))
    """All routes of the environment."""

    @property
    def query(self) -> dict[str, str]:
        """Query parameters, the first of each name."""
        return dict(reversed(self.query_list))

    def query_all(self, name: str) -> list[str]:
        return [value for key, value in self.query_list if key == name]

    def json(self) -> Any:
        """The body as JSON; a classic 400 if it is none, or one that could not be written again."""
        try:
            return read_json(self.body)
        except ValueError:
            raise classic_error(400, "Could not parse JSON") from None

    @property
    def who(self) -> Principal:
        assert self.principal is not None, "route without authentication"
        return self.principal


Handler = Callable[[Call], Answer | Awaitable[Answer]]
"""Usually a plain function, run in one transaction; an ``async def`` runs after it and opens its own."""


@dataclass(frozen=True)
class Route:
    """One line of the route table; COVERAGE.md is generated from these."""

    method: str
    path: str
    """``/api/v2/credentials/{id}``; ``{rest:path}`` takes the remainder with slashes."""
    handler: Handler
    api: str
    auth: Auth
    scope: str | tuple[str, ...] | None = None
    """Scope(s), any one of which is needed; None: any valid token."""
    scope_label: str = ""
    """Dynatrace's label in the 403 text of classic APIs: ``Write settings``."""
    source: str = ""
    """Where the contract is known from (a key of docs/facts/README.md), with [D] or UNVERIFIED where it is derived."""
    fidelity: Literal["exact", "approximate"] = "exact"
    note: str = ""
    """What differs from the platform where approximate."""

    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"(\{[a-z_]+(?::path)?\})", self.path)
        regex = "".join(
            f"(?P<{p[1:-1].removesuffix(':path')}>{'.+' if p.endswith(':path}') else '[^/]+'})"
            if p.startswith("{")
            else re.escape(p)
            for p in parts
        )
        return re.compile(regex + r"\Z")


class RouteTable:
    """All routes, found by method and path. HEAD is answered by the routes of GET."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._by_method: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in self.routes:
            self._by_method.setdefault(route.method, []).append((route.pattern(), route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self._by_method.get("GET" if method == "HEAD" else method, ()):
            if match := pattern.match(path):
                return route, match.groupdict()
        return None

    def at(self, path: str) -> list[Route]:
        """The routes of a path, one for each method that it takes."""
        found = (self.find(method, path) for method in self._by_method)
        return [each[0] for each in found if each]

    def by_api(self) -> dict[str, list[Route]]:
        table: dict[str, list[Route]] = {}
        for route in self.routes:
            table.setdefault(route.api, []).append(route)
        return table

    def paths(self) -> list[str]:
        """Every path of a vendor's API, once."""
        return sorted({route.path for route in self.routes if route.api not in OWN_APIS})


def scopes_of(route: Route) -> tuple[str, ...]:
    return (route.scope,) if isinstance(route.scope, str) else (route.scope or ())


def authenticate(world: World, route: Route, call: Call) -> Principal | None:
    """Check the caller's token and the route's scope. Raises its refusals (facts: dynatrace-api 2.5).

    Classic APIs take the token as query parameter ``api-token``, too (facts: dynatrace-api 2.1); which one counts
    where a call has both is UNVERIFIED.
    """
    if route.auth == "own":
        return None
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if route.auth == "classic":
        if not scheme and TOKEN_PARAMETER in call.query:
            scheme, token = "Api-Token", call.query[TOKEN_PARAMETER]
        principal = world.identity.by_api_token(token.strip()) if scheme.lower() == "api-token" else None
        if principal is None:
            # UNVERIFIED text (facts: dynatrace-api 2.5).
            if token.startswith(PLATFORM):  # of the live host (told in a public repository; facts: dynatrace-api 12)
                raise classic_error(401, "Token exchange failed")
            raise classic_error(401, "Token Authentication failed" if token else "Missing authorization parameter.")
    else:
        if scheme and scheme.lower() != "bearer":
            raise platform_error(
                401,
                f"Unsupported authorization scheme '{scheme}'. Dynatrace platform APIs require the authorization "
                "scheme 'Bearer'",
            )
        principal = world.identity.by_bearer(token.strip())
        if principal is None and token.startswith(PLATFORM):
            row = world.identity.api_token(token.strip())
            if row and world.identity.has_expired(row):  # not 401 (facts: dynatrace-api 12); the text is UNVERIFIED
                raise platform_error(403, "The platform token has expired.")
        if principal is None:
            raise platform_error(401, "Unauthorized", {"errorCode": "Unauthorized"})
    authorize(route, principal)
    return principal


def authorize(route: Route, principal: Principal) -> None:
    needed = scopes_of(route)
    if not needed or principal.scopes.intersection(needed):
        return
    if principal.kind == "api-token":
        label = f" ({route.scope_label})" if route.scope_label else ""
        raise classic_error(403, f"Token is missing required scope. Use one of: {', '.join(needed)}{label}")
    missing = "missingPermissions" if principal.granted.intersection(needed) else "missingScopes"
    raise platform_error(403, "Insufficient permissions.", {missing: list(needed)})


def parse_query(raw: bytes) -> list[tuple[str, str]]:
    return parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
