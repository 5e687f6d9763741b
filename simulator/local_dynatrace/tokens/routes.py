"""Access tokens: metadata for a token's holder (facts: dynatrace-api 2.4), creation and deletion (2.6)."""

from __future__ import annotations

from typing import Any

from ..kernel.checks import constraints_violated, need_permission, small_json, violation
from ..kernel.clock import MICROSECONDS, iso
from ..kernel.identity import PLATFORM
from ..kernel.rfc3339 import parse_ns
from ..kernel.routing import Answer, Call, Handler, Route, classic_error

LONGEST_NAME = 100


def lookup(call: Call) -> Answer:
    if not call.who.scopes:  # "a token with any scope"; the text is UNVERIFIED
        raise classic_error(403, "Token is missing required scope.")
    body = small_json(call)
    token = body.get("token") if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise constraints_violated([violation("token", "must not be null")])
    row = None if token.startswith(PLATFORM) else call.world.identity.api_token(token)
    if row is None:
        raise classic_error(404, "Token not found")  # text UNVERIFIED
    return Answer(200, call.world.identity.describe_api_token(row))


def create(call: Call) -> Answer:
    """The token belongs to the user who calls. Scopes that are none of the classic API are dropped without a word
    (told in a public repository)."""
    world = call.world
    if world.options.classic_tokens == "refuse":
        raise classic_error(400, "Creating API tokens is only available in Account Management")
    name, scopes, expires_us = wanted(small_json(call), world.clock.now_us())
    public = f"dt0c01.{world.ids.hex(24)}"
    token = f"{public}.{world.ids.hex(64)}"
    kept = [scope for scope in scopes if ":" not in scope]
    world.identity.add_api_token(token, name=name, owner=call.who.user, scopes=kept, expires_us=expires_us)
    answer = {"id": public, "token": token}
    return Answer(201, answer if expires_us is None else {**answer, "expirationDate": iso(expires_us)})


def wanted(body: Any, now_us: int) -> tuple[str, list[str], int | None]:
    """Name, scopes and expiry of a new token. Relative timeframes are not taken."""
    given = body if isinstance(body, dict) else {}
    name, scopes, expires = given.get("name"), given.get("scopes"), given.get("expirationDate")
    wrong = []
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        wrong.append(violation("name", f"size must be between 1 and {LONGEST_NAME}"))
    if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
        wrong.append(violation("scopes", "must not be empty"))
    expires_us = None if expires is None else time_of(expires)
    if expires is not None and (expires_us is None or expires_us <= now_us):
        wrong.append(violation("expirationDate", "must be a date in the future"))
    if wrong:
        raise constraints_violated(wrong)
    return str(name), list(scopes or []), expires_us and expires_us // MICROSECONDS * MICROSECONDS


def time_of(text: Any) -> int | None:
    try:
        return parse_ns(str(text), offset_required=False) // 1000
    except ValueError:
        return None


def delete(call: Call) -> Answer:
    found = call.world.store.one("SELECT 1 FROM api_tokens WHERE id = ?", call.params["id"])
    if found is None or call.params["id"].startswith(PLATFORM):
        raise classic_error(404, "Token not found")  # text UNVERIFIED
    call.world.store.run("DELETE FROM api_tokens WHERE id = ?", call.params["id"])
    return Answer(204)


def lookup_platform(call: Call) -> Answer:
    need_permission(call, "environment:roles:viewer")
    return lookup(call)


def pair(method: str, path: str, handler: Handler, scope: str, platform_scope: str) -> list[Route]:
    """A route of the live host, and the same one behind the platform, for bearers."""
    through = f"/platform/classic/environment-api/v2{path}"
    return [
        Route(method, f"/api/v2{path}", handler, "tokens", "classic", scope, source="CT"),
        Route(method, through, handler, "tokens", "platform", platform_scope, source="SC, CT"),
    ]


ROUTES = [
    Route("POST", "/api/v2/apiTokens/lookup", lookup, "tokens", "classic", source="LK"),
    Route(
        "POST",
        "/platform/classic/environment-api/v2/apiTokens/lookup",
        lookup_platform,
        "tokens",
        "platform",
        "environment-api:api-tokens:read",
        source="SC",
    ),
    *pair("POST", "/apiTokens", create, "apiTokens.write", "environment-api:api-tokens:write"),
    *pair("DELETE", "/apiTokens/{id}", delete, "apiTokens.write", "environment-api:api-tokens:write"),
]
