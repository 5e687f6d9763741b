"""What a fault rule with a status answers where it brings no body: as the platform would (facts: dynatrace-api 9).

Dynatrace's gateway marks its own errors with a header, says how long to wait, and gives each a reference; the classic
APIs have their one text for 429. Of the gateway only the form is known: its texts and error codes are UNVERIFIED.
"""

from __future__ import annotations

import random
import uuid
from http import HTTPStatus
from typing import Any

from .faults import Rule
from .routing import Route, WireError

GATEWAY = {"dynatrace-response-source": "API Gateway"}
GATEWAY_STATUSES = (429, 502, 503, 504)
PLATFORM = "/platform/"
TOO_MANY = "Too many requests."
RETRY_AFTER_S = 1
WITHOUT_BODY = (204, 304)
"""In HTTP; a rule that asks for one is refused."""


def fault_answer(rule: Rule, status: int, route: Route | None, path: str) -> WireError:
    """Instead of the API's answer (``when: after``: though the API has done its work)."""
    if status in WITHOUT_BODY or rule.body is not None:
        return WireError(status, rule.body, rule.headers)
    if status in GATEWAY_STATUSES and path.startswith(PLATFORM):
        return WireError(status, {"error": gateway_error(rule, status)}, GATEWAY | rule.headers)
    classic = route is not None and route.auth == "classic"
    message = TOO_MANY if status == 429 and classic else "Fault"
    return WireError(status, {"error": {"code": status, "message": message}}, rule.headers)


def gateway_error(rule: Rule, status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    told = {name.lower(): value for name, value in rule.headers.items()}.get("retry-after", "")
    reference = random.Random(f"{rule.id}/{rule.hit}").getrandbits(128)
    return {
        "code": status,
        "message": TOO_MANY if status == 429 else f"{phrase}.",
        "retryAfterSeconds": int(told) if told.isdecimal() and len(told) < 10 else RETRY_AFTER_S,
        "details": {
            "errorCode": phrase.replace(" ", ""),
            "errorRef": str(uuid.UUID(int=reference, version=4)),
            "errorCodeProperties": {},
        },
    }
