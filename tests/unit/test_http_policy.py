"""What is repeated, how long it waits, and what an error says: pure functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from providers.api.http import LONGEST_DELAY_S, delay_s, error_text, hint, retry_after_s, should_retry

NOW = datetime(2026, 1, 29, 10, 0, 0, tzinfo=UTC)
VAULT = "/api/v2/credentials/CREDENTIALS_VAULT-0"


@pytest.mark.parametrize(
    ("method", "status", "path", "again"),
    [
        ("GET", None, "/x", True),
        ("GET", 503, "/x", True),
        ("GET", 500, "/x", False),
        ("GET", 404, "/x", False),
        ("PUT", 500, VAULT, True),
        ("PUT", 500, "/platform/automation/v1/workflows/0", False),
        ("PUT", None, "/x", True),
        ("PUT", 409, "/x", False),
        ("DELETE", 504, "/x", True),
        ("POST", 429, "/x", True),
        ("POST", None, "/x", False),
        ("POST", 503, "/x", False),
        ("POST", 500, VAULT, False),
    ],
)
def test_only_what_is_harmless_or_proven_without_effect_is_repeated(
    method: str, status: int | None, path: str, again: bool
) -> None:
    assert should_retry(method, status, path) is again


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, None, 7.0),
        ({"Retry-After": "Thu, 29 Jan 2026 10:00:30 GMT"}, None, 30.0),
        ({"Retry-After": "Thu, 29 Jan 2026 09:00:00 GMT"}, None, 0.0),
        ({"Retry-After": "soon"}, None, None),
        ({}, {"error": {"retryAfterSeconds": 12}}, 12.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 5)}, None, 5.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp() * 1e3) + 5000)}, None, 5.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp() * 1e6) + 5_000_000)}, None, 5.0),
        ({}, None, None),
        ({}, [], None),
    ],
)
def test_the_servers_wish_is_read_in_every_form(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    assert retry_after_s(headers, body, NOW) == seconds


def test_waits_grow_are_at_least_what_is_asked_and_never_too_long() -> None:
    assert [delay_s(attempt, None, 1.0) for attempt in range(4)] == [1.0, 2.0, 4.0, 8.0]
    assert delay_s(0, None, 0.0) == 0.5
    assert delay_s(0, 7.0, 0.5) == 7.0
    assert delay_s(0, 3600.0, 0.5) == LONGEST_DELAY_S
    assert delay_s(40, None, 1.0) == LONGEST_DELAY_S


@pytest.mark.parametrize(
    ("body", "text", "reference"),
    [
        ({"error": {"code": 403, "message": "No."}}, "No.", ""),
        ([{"code": 400, "error": {"message": "Bad."}}], "Bad.", ""),
        ({"error": {"message": "Bad.", "details": {"errorRef": "r1", "missingScopes": ["a", "b"]}}},
         "Bad. Missing: a, b.", "r1"),
        ({"error": {"message": "Bad.", "details": "because"}}, "Bad. because", ""),
        ({"errorCode": 400, "message": "Bad Request", "issueId": "i1"}, "Bad Request", "i1"),
        ({"error": {"message": "Bad.", "constraintViolations": [{"path": "name", "message": "too long"}]}},
         "Bad.; name: too long", ""),
        ({"error": "invalid_request", "error_description": "missing"}, "missing", ""),
        ("<!doctype html><html>", "a web page instead of JSON", ""),
        ("plain  text\n", "plain text", ""),
        (None, "", ""),
        ([], "", ""),
        (7, "", ""),
    ],
)  # fmt: skip
def test_the_message_is_found_in_every_envelope(body: Any, text: str, reference: str) -> None:
    assert error_text(body) == (text, reference)


@pytest.mark.parametrize(
    ("status", "path", "text", "says"),
    [
        (404, "/api/v2/credentials", "failed to resolve tenant <x>", "environment that does not exist"),
        (400, "/api/v2/credentials", "a web page instead of JSON", "https://ID.live.dynatrace.com"),
        (401, "/api/v2/credentials", "Token Authentication failed", "dynatraceApiToken"),
        (401, "/api/v2/credentials", "Token Authentication failed", "--run-program"),
        (401, "/platform/automation/v1/workflows", "", "oauthClientSecret"),
        (
            403,
            "/platform/automation/v1/workflows",
            "",
            "automation:workflows:read, automation:workflows:write, automation:workflows:run",
        ),
        (403, "/platform/automation/v1/workflows", "needs iam:service-users:use", "iam:service-users:use"),
        (403, "/api/v2/credentials", "", "docs/security.md lists what each needs"),
        (429, "/x", "", "try again in a minute"),
        (400, "/x", "", ""),
    ],
)
def test_the_most_frequent_mistakes_get_a_sentence(status: int, path: str, text: str, says: str) -> None:
    assert says in hint(status, path, text)
