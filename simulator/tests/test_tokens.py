"""``apiTokens/lookup``: what a token tells about itself."""

from __future__ import annotations

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import (
    DEPLOY,
    DEPLOY_TOKEN,
    SEED,
    SERVICE_USER,
    add_user,
    api_token,
    bearer,
    new_token,
    with_token,
)

PATH = "/api/v2/apiTokens/lookup"
PUBLIC = ".".join(DEPLOY_TOKEN.split(".")[:2])


def test_a_token_with_any_scope_may_look_itself_up(local: Local) -> None:
    answer = local.call("POST", PATH, headers=DEPLOY, json={"token": DEPLOY_TOKEN})

    body = answer.json()
    assert answer.status_code == 200
    assert {key: body[key] for key in ("id", "name", "enabled", "personalAccessToken", "owner", "scopes")} == {
        "id": PUBLIC,
        "name": "Deployment token",
        "enabled": True,
        "personalAccessToken": False,
        "owner": SERVICE_USER["id"],
        "scopes": SEED["api_tokens"][0]["scopes"],
    }
    assert body["creationDate"].endswith("Z")
    assert "expirationDate" not in body
    assert DEPLOY_TOKEN not in answer.text


def test_one_token_may_look_up_another(local: Local) -> None:
    other = new_token(local, "logs.ingest", name="Other", expirationDate="2040-01-01T00:00:00Z")
    answer = local.call("POST", PATH, headers=DEPLOY, json={"token": other})

    assert answer.json()["expirationDate"] == "2040-01-01T00:00:00.000Z"
    assert answer.json()["scopes"] == ["logs.ingest"]


def test_a_disabled_token_is_described_but_authenticates_nobody(local: Local) -> None:
    other = new_token(local, "logs.ingest")
    local.sim("PATCH", f"api-tokens/{'.'.join(other.split('.')[:2])}", {"enabled": False})

    assert local.call("POST", PATH, headers=DEPLOY, json={"token": other}).json()["enabled"] is False
    assert local.call("POST", PATH, headers=with_token(other), json={"token": other}).status_code == 401


@pytest.mark.parametrize("token", [DEPLOY_TOKEN[:-1] + "X", PUBLIC, ""])
def test_an_unknown_token_is_not_found(local: Local, token: str) -> None:
    assert local.call("POST", PATH, headers=DEPLOY, json={"token": token}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token": 1}', b"[" * 100_000])
def test_a_body_without_token_is_refused(local: Local, body: bytes) -> None:
    assert local.call("POST", PATH, headers=DEPLOY, data=body).status_code == 400


def test_a_token_without_scopes_is_refused(local: Local) -> None:
    assert local.call("POST", PATH, headers=api_token(local), json={"token": DEPLOY_TOKEN}).status_code == 403


def test_the_apps_host_takes_a_bearer(local: Local) -> None:
    path = "/platform/classic/environment-api/v2/apiTokens/lookup"
    right = "environment-api:api-tokens:read"
    add_user(local, "admin@nordhav.example", right, "environment:roles:viewer")
    add_user(local, "guest@nordhav.example", right)
    body = {"token": DEPLOY_TOKEN}

    allowed = local.call("POST", path, headers=bearer(local, right, user="admin@nordhav.example"), json=body)
    refused = local.call("POST", path, headers=bearer(local, right, user="guest@nordhav.example"), json=body)

    assert allowed.json()["id"] == PUBLIC
    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"missingPermissions": ["environment:roles:viewer"]}
    assert local.call("POST", path, headers=DEPLOY, json=body).status_code == 401
