"""Errors of Sectigo's two endpoints as they go over the wire."""

from __future__ import annotations

from local_dynatrace.kernel.routing import WireError

AUTHORIZATION_URI = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token"
"""Named in every 401, so that clients can discover it (facts: sectigo 1.2)."""

# Numeric codes are those of the sibling APIs where known (-16), else derived [D] (facts: sectigo 1.3).
UNKNOWN_USER = -16
BAD_PARAMETER = -1


def unauthorized() -> WireError:
    return WireError(
        401,
        {"code": UNKNOWN_USER, "description": "Unknown user"},
        {"WWW-Authenticate": f'Bearer authorization_uri="{AUTHORIZATION_URI}"'},
    )


def bad_request(description: str) -> WireError:
    return WireError(400, {"code": BAD_PARAMETER, "description": description})


def oauth_error(status: int, error: str, description: str) -> WireError:
    """RFC 6749, with Keycloak's texts [D] (facts: sectigo 1.2)."""
    return WireError(status, {"error": error, "error_description": description}, {"Cache-Control": "no-store"})
