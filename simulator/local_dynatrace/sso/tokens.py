"""Rules of the client-credentials grant: who gets a bearer token, with which scopes, for how long."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..kernel.world import World
from .errors import bad_request, missing_scopes, unknown_client, unsupported_grant


@dataclass(frozen=True)
class TokenRequest:
    client_id: str
    client_secret: str
    in_header: bool
    """The credentials came in a Basic header."""
    grant_type: str
    scope: str
    """Blank-separated; empty: all scopes of the client (Terraform and Monaco send none)."""
    resource: str
    """``urn:dtaccount:UUID``; empty: the client's account."""


def issue(world: World, request: TokenRequest) -> dict[str, Any]:
    """Issue a token and return the wire answer.

    The token carries what was asked for. What its subject's IAM policies do not allow is refused when the token is
    used, not here: SSO knows the client's scopes only.
    """
    if request.grant_type and request.grant_type != "client_credentials":
        raise unsupported_grant()
    client = world.identity.oauth_client(request.client_id, request.client_secret)
    if client is None:
        raise unknown_client() if request.in_header else bad_request(world)
    if not request.grant_type or request.resource not in ("", client["account"]):
        raise bad_request(world)
    granted: list[str] = json.loads(client["scopes"])
    asked = list(dict.fromkeys(request.scope.split())) or granted
    if missing := [scope for scope in asked if scope not in granted]:
        raise missing_scopes(missing)
    token = f"dtlocal.{world.ids.hex(64)}"
    lifetime = world.options.bearer_lifetime_s
    world.identity.issue_bearer(
        token, user=client["subject"], scopes=asked, client=request.client_id, lifetime_s=lifetime
    )
    return {
        "token_type": "Bearer",
        "resource": client["account"],
        "access_token": token,
        "expires_in": lifetime,
        "scope": " ".join(asked),
    }
