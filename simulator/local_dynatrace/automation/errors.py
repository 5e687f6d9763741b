"""The automation API's refusals, as they go over the wire (facts: dynatrace-api 5.5, 2.5)."""

from __future__ import annotations

from typing import Any

from ..kernel.routing import WireError, platform_error


def invalid(details: dict[str, Any]) -> WireError:
    """``details`` mirrors the request's body; its leaves are lists of sentences."""
    return platform_error(400, "Invalid request.", details)


def not_found(what: str) -> WireError:
    # UNVERIFIED text; another user's private workflow gives the same answer, so its existence stays hidden.
    return platform_error(404, f"No {what} matches the given query.")


def no_admin_access() -> WireError:
    """``adminAccess=true`` without the scope: clients repeat the call without it on 403 (facts: dynatrace-api 5.1)."""
    return platform_error(403, "Insufficient permissions.", {"missingScopes": ["automation:workflows:admin"]})


def throttled(limit: int, retry_after_s: int) -> WireError:
    # UNVERIFIED: what a run is answered while the workflow's hourly limit is hit.
    error = platform_error(429, f"The workflow has reached its limit of {limit} executions per hour.")
    error.headers["retry-after"] = str(retry_after_s)
    return error
