"""Refusals of SSO. It has two envelopes, its own and that of RFC 6749 (facts: dynatrace-api 2.2)."""

from __future__ import annotations

from ..kernel.routing import WireError
from ..kernel.world import World


def bad_request(world: World) -> WireError:
    """SSO's answer to a wrong or missing secret: it does not say what is wrong (TF#518, TF#325).

    Every other malformed request gets it too, UNVERIFIED: clients must cope with the least helpful answer.
    """
    return WireError(400, {"errorCode": 400, "message": "Bad Request", "issueId": world.ids.hex(16)})


def unknown_client() -> WireError:
    """For credentials in a Basic header; real clients then try again with form fields. Server side UNVERIFIED."""
    body = {"error": "invalid_client", "error_description": "Client authentication failed"}
    return WireError(401, body, {"www-authenticate": 'Basic realm="sso"'})


def unsupported_grant() -> WireError:
    """RFC 6749, 5.2; UNVERIFIED."""
    return WireError(
        400, {"error": "unsupported_grant_type", "error_description": "Only client_credentials is supported"}
    )


def missing_scopes(scopes: list[str]) -> WireError:
    """One scope that the client does not have fails the whole request (MCP#18)."""
    description = f"OAuth client is missing following scopes [{', '.join(scopes)}]"
    return WireError(400, {"error": "invalid_request", "error_description": description})
