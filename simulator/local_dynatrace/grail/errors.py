"""Errors of the query API as they go over the wire."""

from __future__ import annotations

from typing import Any

from ..kernel.routing import WireError, platform_error
from .dql import DqlError, Span


def place(query: str, span: Span) -> dict[str, Any]:
    """Start and end of a stretch of the query, the end inclusive, lines and columns from 1."""

    def at(index: int) -> dict[str, int]:
        before = query[:index]
        return {"column": index - (before.rfind("\n") + 1) + 1, "index": index, "line": before.count("\n") + 1}

    return {"start": at(span.start), "end": at(max(span.start, span.end - 1))}


def refused_query(query: str, error: DqlError) -> WireError:
    """400 with the words of the language and the place in the query (facts: dynatrace-api 8)."""
    syntax = error.type == "PARSE_ERROR"
    details: dict[str, Any] = {
        "exceptionType": "DQL-SYNTAX-ERROR" if syntax else "DQL-ERROR",
        "errorType": error.type,
        "errorMessage": error.message,
        "arguments": list(error.arguments),
        "queryString": query,
        "missingPermissions": [],
    }
    if error.position:
        details["syntaxErrorPosition"] = place(query, error.position)
    return platform_error(400, error.type, details)


def bad_request(message: str) -> WireError:
    return platform_error(400, message, {"errorType": "INVALID_REQUEST", "errorMessage": message})


def missing_scopes(scopes: list[str], *, granted: bool) -> WireError:
    """``granted``: the token has the scopes, but its user not the permissions."""
    return platform_error(
        403, "Insufficient permissions.", {"missingPermissions" if granted else "missingScopes": scopes}
    )


def gone() -> WireError:
    """410 for a token that is unknown, expired or another user's (SQ; text UNVERIFIED)."""
    message = "The result of the query is not available any more."
    return platform_error(410, message, {"errorType": "RESULT_GONE", "errorMessage": message})
