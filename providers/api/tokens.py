"""What the metadata of an API token (``/api/v2/apiTokens/lookup``) says about its use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from ..rules import moment

EXPIRES_SOON = timedelta(days=14)


def expiry(token: dict[str, Any]) -> datetime | None:
    """None: it never expires."""
    text = token.get("expirationDate")
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def platform_token(token: str, expires: str) -> dict[str, Any]:
    """What the stack config says about a platform token, in the form of an API token's metadata. Only the account API
    tells its expiry, to others than the token itself (facts: dynatrace-api 12)."""
    ends = moment(expires).isoformat() if expires else None
    return {"id": ".".join(token.split(".")[:2]), "expirationDate": ends}


def problems(token: dict[str, Any], needed: Iterable[str], now: datetime) -> list[str]:
    """Why a token cannot be used for what needs these scopes; empty: it can."""
    found = []
    if not token.get("enabled", True):
        found.append("is disabled")
    missing = [scope for scope in needed if scope not in token.get("scopes", [])]
    if missing:
        found.append(f"lacks the scope{'s' * (len(missing) > 1)} {', '.join(missing)}")
    if (ends := expiry(token)) and ends < now:
        found.append(f"expired on {token['expirationDate']}")
    return [f"token {token.get('id', '?')} {problem}" for problem in found]


def expires_soon(token: dict[str, Any], now: datetime) -> str:
    """A warning for a token that is valid for two more weeks at most, else empty."""
    ends = expiry(token)
    if ends is None or not now <= ends < now + EXPIRES_SOON:
        return ""
    return f"token {token.get('id', '?')} expires in {(ends - now).days} days ({token['expirationDate']})"
