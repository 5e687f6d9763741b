"""``POST …/apiTokens/lookup``: metadata of a token, for its holder (facts: dynatrace-api 2.4)."""

from __future__ import annotations

from ..kernel.checks import constraints_violated, need_permission, small_json, violation
from ..kernel.routing import Answer, Call, Route, classic_error


def lookup(call: Call) -> Answer:
    if not call.who.scopes:  # "a token with any scope"; the text is UNVERIFIED
        raise classic_error(403, "Token is missing required scope.")
    body = small_json(call)
    token = body.get("token") if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise constraints_violated([violation("token", "must not be null")])
    row = call.world.identity.api_token(token)
    if row is None:
        raise classic_error(404, "Token not found")  # text UNVERIFIED
    return Answer(200, call.world.identity.describe_api_token(row))


def lookup_platform(call: Call) -> Answer:
    need_permission(call, "environment:roles:viewer")
    return lookup(call)


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
]
