"""A platform token replaces the OAuth client: the same calls, its own refusals, an expiry only the config knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SERVICE_USER
from providers.api.errors import LoginFailed, PreflightFailed
from providers.api.scopes import AUTOMATION_SCOPES, QUERY_SCOPES, RESOLVE_SCOPES
from tests.provider.conftest import SEED, connect

NO_CLIENT = {"oauth_client_id": "", "oauth_client_secret": "", "account_urn": ""}
TOKEN = f"dt0s16.{'P' * 24}.{'S' * 64}"


def made(local: Local, *scopes: str, **more: str) -> dict[str, str]:
    """Access with a new platform token instead of the OAuth client."""
    owner = SERVICE_USER["email"]
    local.sim("POST", "identities", {"platformTokens": [{"token": TOKEN, "owner": owner, "scopes": scopes, **more}]})
    return {**NO_CLIENT, "platform_token": TOKEN}


def report(local: Local, **changes: str) -> str:
    with pytest.raises(PreflightFailed) as caught:
        connect(local, **changes).ready()
    assert "S" * 64 not in str(caught.value)
    return str(caught.value)


def test_it_deploys_without_asking_sso(local: Local) -> None:
    environment = connect(local, **made(local, *RESOLVE_SCOPES, *QUERY_SCOPES))
    local.sim("DELETE", "requests")

    assert environment.ready() == []
    assert environment.query_logs("fetch logs | limit 1") == []

    paths = [line["path"] for line in local.sim("GET", "requests", caller="outside")["requests"]]
    assert "/sso/oauth2/token" not in paths
    assert "/platform/management/v1/effective-permissions:resolve" in paths


def test_the_seeds_own_token_deploys(local: Local) -> None:
    assert connect(local, **NO_CLIENT, platform_token=SEED["platform_tokens"][0]["token"]).ready() == []


def test_a_missing_scope_is_reported_before_the_first_write(local: Local) -> None:
    text = report(local, **made(local, "app-engine:functions:run", *AUTOMATION_SCOPES[:1]))

    assert (
        f"platformToken: platform token dt0s16.{'P' * 24} lacks automation:workflows:write, automation:workflows:run"
        in text
    )


def test_a_token_that_may_not_ask_about_its_scopes_is_refused_with_the_scope_to_add(local: Local) -> None:
    text = report(local, **made(local, *AUTOMATION_SCOPES))

    assert "Without app-engine:functions:run the token's other scopes cannot be checked before the first write" in text


def test_where_the_environment_does_not_tell_the_calls_decide(local: Local) -> None:
    changes = made(local, *AUTOMATION_SCOPES)
    local.sim("POST", "faults", {"api": "management", "status": 404, "times": 9})

    assert connect(local, **changes).ready() == []


def test_an_unknown_and_an_expired_token_name_the_key(local: Local) -> None:
    assert "Check platformToken" in report(local, **NO_CLIENT, platform_token=f"dt0s16.X.{'S' * 64}")
    expired = made(local, *RESOLVE_SCOPES, expirationDate="2026-01-01T00:00:00Z")
    assert "platformToken: platform token dt0s16." in report(local, **expired)
    told = report(local, **expired, platform_token_expires="2026-01-01")
    assert f"platformToken: token dt0s16.{'P' * 24} expired on 2026-01-01" in told


def test_its_expiry_is_watched_like_the_others(local: Local) -> None:
    soon = datetime.now(UTC) + timedelta(days=5, hours=1)
    changes = made(local, *RESOLVE_SCOPES)

    (warning,) = connect(local, **changes, platform_token_expires=soon.isoformat()).ready()

    assert warning.startswith(f"platformToken: token dt0s16.{'P' * 24} expires in 5 days")


def test_an_optional_scope_is_missing_in_the_same_way_as_with_an_oauth_client(local: Local) -> None:
    environment = connect(local, **made(local, *RESOLVE_SCOPES))

    with pytest.raises(LoginFailed, match="lacks storage:logs:read, storage:buckets:read"):
        environment.query_logs("fetch logs")
    with pytest.raises(LoginFailed, match="lacks storage:logs:read, storage:buckets:read"):
        environment.require_scopes(QUERY_SCOPES)
