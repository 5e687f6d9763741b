"""What the classic APIs check alike: size of the body, its form, page size, a user's permission.

Field problems are ``constraintViolations`` of a 400 (facts: dynatrace-api 4, 9); the two texts around them
("Constraints violated.", "must not be null") are the usual ones of these APIs, UNVERIFIED for each single field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .routing import Call, WireError, classic_error, platform_error

MAX_CLASSIC_BODY = 1024 * 1024
"""facts: dynatrace-api 9 (AL). Log ingest has a limit of its own."""
DEFAULT_PAGE, MAX_PAGE = 100, 500

Where = Literal["PAYLOAD_BODY", "QUERY", "PATH", "HEADER"]
Violation = dict[str, Any]


def violation(path: str, message: str, where: Where = "PAYLOAD_BODY") -> Violation:
    return {"path": path, "message": message, "parameterLocation": where, "location": None}


def constraints_violated(violations: list[Violation]) -> WireError:
    return classic_error(400, "Constraints violated.", violations)


def small_json(call: Call) -> Any:
    """The JSON body of a configuration call, which may have 1 MB."""
    if len(call.body) > MAX_CLASSIC_BODY:
        raise classic_error(413, "Request entity too large")
    return call.json()


def page_size(query: Mapping[str, str]) -> int:
    text = query.get("pageSize", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_PAGE):
        raise constraints_violated([violation("pageSize", f"must be between 1 and {MAX_PAGE}", "QUERY")])
    return int(text)


def need_permission(call: Call, permission: str) -> None:
    """Refuse a bearer call whose user lacks an IAM permission that is no scope of its own (``environment:roles:…``)."""
    if permission not in call.world.identity.permissions(call.who.user):
        raise platform_error(403, "Insufficient permissions.", {"missingPermissions": [permission]})
