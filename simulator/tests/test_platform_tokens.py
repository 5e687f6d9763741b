"""Platform tokens (``dt0s16``), what a token is told about itself, and API tokens that are made over the API."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, SERVICE_USER, add_user, api_token, bearer, with_token

WORKFLOWS = "/platform/automation/v1/workflows"
RESOLVE = "/platform/management/v1/effective-permissions:resolve"
TOKENS = "/platform/classic/environment-api/v2/apiTokens"
TOKEN = f"dt0s16.{'P' * 24}.{'S' * 64}"
WRITE = "environment-api:api-tokens:write"


def platform_token(local: Local, *scopes: str, owner: str = SERVICE_USER["email"], **more: Any) -> dict[str, str]:
    """Headers of a new platform token."""
    made = {"token": TOKEN, "owner": owner, "scopes": list(scopes), **more}
    assert local.sim("POST", "identities", {"platformTokens": [made]})["platformTokens"] == [f"dt0s16.{'P' * 24}"]
    return {"Authorization": f"Bearer {TOKEN}"}


def granted(local: Local, headers: dict[str, str], *permissions: str) -> dict[str, str]:
    body = {"permissions": [{"permission": permission} for permission in permissions]}
    answer = local.call("POST", RESOLVE, headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    return {one["permission"]: one["granted"] for one in answer.json()}


def test_a_platform_token_is_a_bearer_with_its_scopes_within_its_users_permissions(local: Local) -> None:
    headers = platform_token(local, "automation:workflows:read", "automation:workflows:admin")

    assert local.call("GET", WORKFLOWS, headers=headers).status_code == 200
    lacking = local.call("POST", WORKFLOWS, headers=headers, json={"title": "x"})
    assert (lacking.status_code, lacking.json()["error"]["details"]) == (
        403, {"missingScopes": ["automation:workflows:write"]},
    )  # fmt: skip
    nobody = platform_token(local, "automation:workflows:read", owner=add_user(local, "nobody@nordhav.example"))
    assert "missingPermissions" in local.call("GET", WORKFLOWS, headers=nobody).text


def test_an_expired_one_is_403_and_a_disabled_or_unknown_one_401(local: Local) -> None:
    headers = platform_token(local, "automation:workflows:read", expirationDate="2026-01-01T00:00:00Z")
    assert local.call("GET", WORKFLOWS, headers=headers).status_code == 403
    headers = platform_token(local, "automation:workflows:read")
    local.sim("PATCH", f"api-tokens/dt0s16.{'P' * 24}", {"enabled": False})
    assert local.call("GET", WORKFLOWS, headers=headers).status_code == 401
    assert local.call("GET", WORKFLOWS, headers={"Authorization": f"Bearer dt0s16.X.{'Y' * 64}"}).status_code == 401


@pytest.mark.parametrize("scheme", ["Api-Token", "Bearer"])
def test_the_live_host_takes_none(local: Local, scheme: str) -> None:
    platform_token(local, "automation:workflows:read")

    answer = local.call("GET", "/api/v2/credentials", headers={"Authorization": f"{scheme} {TOKEN}"})

    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "Token exchange failed")


def test_a_token_is_told_about_what_it_carries_itself(local: Local) -> None:
    headers = platform_token(local, "app-engine:functions:run", "automation:workflows:read", "document:documents:admin")

    assert granted(
        local, headers, "automation:workflows:read", "automation:workflows:write", "document:documents:admin"
    ) == {
        "automation:workflows:read": "true",
        "automation:workflows:write": "false",  # its user has it
        "document:documents:admin": "false",  # its user has it not
    }


def test_without_a_scope_that_allows_to_ask_nothing_is_told(local: Local) -> None:
    headers = bearer(local, "automation:workflows:read")

    answer = local.call("POST", RESOLVE, headers=headers, json={"permissions": []})

    assert answer.status_code == 403
    assert "app-engine:functions:run" in answer.json()["error"]["details"]["missingScopes"]


def test_an_api_token_belongs_to_whoever_made_it_and_can_be_deleted(local: Local) -> None:
    headers = bearer(local, WRITE)
    body = {"name": "made", "scopes": ["settings.read", "automation:workflows:read"]}

    made = local.call("POST", TOKENS, headers=headers, json={**body, "expirationDate": "2040-01-01T00:00:00Z"})

    assert made.status_code == 201
    assert sorted(made.json()) == ["expirationDate", "id", "token"]
    token, id = made.json()["token"], made.json()["id"]
    found = local.call("POST", "/api/v2/apiTokens/lookup", headers=with_token(token), json={"token": token}).json()
    assert (found["id"], found["owner"], found["scopes"]) == (id, SERVICE_USER["id"], ["settings.read"])
    assert token not in str(local.sim("GET", "dump", all="true"))
    assert local.call("DELETE", f"{TOKENS}/{id}", headers=headers).status_code == 204
    assert local.call("DELETE", f"{TOKENS}/{id}", headers=headers).status_code == 404


def test_a_wrong_token_is_refused_by_its_fields_and_a_scope_is_needed(local: Local) -> None:
    writer = api_token(local, "apiTokens.write")
    past = {"name": "x", "scopes": ["logs.ingest"], "expirationDate": "2001-01-01T00:00:00Z"}
    for body, path in (({"scopes": ["a"]}, "name"), ({"name": "x"}, "scopes"), (past, "expirationDate")):
        answer = local.call("POST", "/api/v2/apiTokens", headers=writer, json=body)
        assert [one["path"] for one in answer.json()["error"]["constraintViolations"]] == [path]
    assert local.call("POST", "/api/v2/apiTokens", headers=DEPLOY, json=past).status_code == 403


def test_in_the_last_phase_of_the_upgrade_none_is_made(local: Local) -> None:
    local.sim("PATCH", "options", {"classic_tokens": "refuse"})
    try:
        answer = local.call("POST", TOKENS, headers=bearer(local, WRITE), json={"name": "x", "scopes": ["logs.ingest"]})
    finally:
        local.sim("PATCH", "options", {"classic_tokens": "create"})

    assert (answer.status_code, "only available in Account Management" in answer.text) == (400, True)
