"""Dynatrace SSO: who gets a bearer token, and what it is good for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import ACCOUNT, CLIENT, DEPLOY, SERVICE_USER, add_user, bearer

VAULT = "/platform/classic/environment-api/v2/credentials"


def ask(local: Local, **form: Any) -> requests.Response:
    whole = {
        "grant_type": "client_credentials",
        "client_id": CLIENT["id"],
        "client_secret": CLIENT["secret"],
        **form,
    }
    return local.call(
        "POST", "/sso/oauth2/token", data={key: value for key, value in whole.items() if value is not None}
    )


def test_a_client_gets_a_token_of_five_minutes_for_the_scopes_it_asks_for(local: Local) -> None:
    answer = ask(local, scope="automation:workflows:read automation:workflows:run", resource=ACCOUNT)

    body = answer.json()
    token = body.pop("access_token")
    assert answer.status_code == 200
    assert len(token) > 40
    assert body == {
        "token_type": "Bearer",
        "resource": ACCOUNT,
        "expires_in": 300,
        "scope": "automation:workflows:read automation:workflows:run",
    }
    assert answer.headers["cache-control"] == "no-store"


def test_without_scope_and_resource_a_client_gets_all_its_scopes(local: Local) -> None:
    assert set(ask(local).json()["scope"].split()) == set(CLIENT["scopes"])


def test_each_token_is_another_one(local: Local) -> None:
    assert ask(local).json()["access_token"] != ask(local).json()["access_token"]


def test_one_scope_that_the_client_lacks_fails_the_whole_request(local: Local) -> None:
    answer = ask(local, scope="automation:workflows:read storage:metrics:read document:documents:admin")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert answer.json()["error_description"].endswith(
        "OAuth client is missing following scopes [storage:metrics:read, document:documents:admin]"
    )


@pytest.mark.parametrize(
    "form",
    [
        {"client_secret": CLIENT["secret"][:-1] + "B"},
        {"client_secret": None},
        {"client_id": "dt0s02.UNKNOWN1"},
        {"resource": "urn:dtaccount:00000000-0000-4000-8000-000000000000"},
        {"grant_type": None},
    ],
    ids=["wrong secret", "no secret", "unknown client", "another account", "no grant type"],
)
def test_sso_does_not_say_what_is_wrong_with_a_request(local: Local, form: dict[str, Any]) -> None:
    answer = ask(local, **form)

    body = answer.json()
    assert answer.status_code == 400
    assert len(body.pop("issueId")) == 16
    assert body == {"errorCode": 400, "message": "Bad Request"}
    assert CLIENT["secret"] not in answer.text


def test_another_grant_is_not_supported(local: Local) -> None:
    assert ask(local, grant_type="password").json()["error"] == "unsupported_grant_type"


def test_credentials_may_come_in_a_basic_header(local: Local) -> None:
    form = {"grant_type": "client_credentials"}
    accepted = local.call("POST", "/sso/oauth2/token", data=form, auth=(CLIENT["id"], CLIENT["secret"]))
    refused = local.call("POST", "/sso/oauth2/token", data=form, auth=(CLIENT["id"], "wrong"))

    assert accepted.status_code == 200
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"grant_type": "client_credentials"}},
        {"data": b"\xff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": "Basic not base64!"}},
    ],
    ids=["JSON", "no ASCII", "broken Basic"],
)
def test_a_malformed_request_is_refused(local: Local, request_: dict[str, Any]) -> None:
    assert local.call("POST", "/sso/oauth2/token", **request_).status_code == 400


def test_a_token_ends_after_its_lifetime_on_the_simulated_clock(local: Local) -> None:
    headers = bearer(local, "environment-api:credentials:read")

    assert local.call("GET", VAULT, headers=headers).status_code == 200
    local.sim("POST", "clock", {"step": 301})
    assert local.call("GET", VAULT, headers=headers).status_code == 401


def test_a_token_can_do_no_more_than_its_user_may(local: Local) -> None:
    add_user(local, "reader@nordhav.example", "environment:roles:viewer", "environment-api:credentials:read")
    headers = bearer(
        local,
        "environment-api:credentials:read",
        "environment-api:credentials:write",
        user="reader@nordhav.example",
    )

    assert local.call("GET", VAULT, headers=headers).status_code == 200
    refused = local.call("POST", VAULT, headers=headers, json={})
    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"missingPermissions": ["environment-api:credentials:write"]}


def test_a_token_can_do_no_more_than_its_scopes(local: Local) -> None:
    assert "environment-api:credentials:write" in SERVICE_USER["permissions"]
    refused = local.call("POST", VAULT, headers=bearer(local, "environment-api:credentials:read"), json={})

    assert refused.status_code == 403
    assert refused.json()["error"] == {
        "code": 403,
        "message": "Insufficient permissions.",
        "details": {"missingScopes": ["environment-api:credentials:write"]},
    }


def test_no_secret_appears_in_the_request_log(local: Local) -> None:
    token = ask(local).json()["access_token"]
    log = str(local.sim("GET", "requests"))

    assert "/sso/oauth2/token" in log
    assert token not in log
    assert CLIENT["secret"] not in log


@pytest.mark.parametrize("path", ["/platform/metadata/v1/classic-environment-domain", "/sso/oauth2/token"])
@pytest.mark.parametrize("host", ["abc12345.live.dynatrace.com", "abc12345.sprint.dynatracelabs.com"])
def test_the_live_host_answers_everything_but_the_classic_api_with_its_page(local: Local, host: str, path: str) -> None:
    answer = local.call("POST" if "sso" in path else "GET", path, headers={"Host": host})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    elsewhere = local.call(
        "GET", path, headers={"Host": host.replace("live", "apps").replace("sprint.", "sprint.apps.")}
    )
    assert elsewhere.headers["content-type"].startswith("application/json")
    assert local.call("GET", "/api/v2/credentials", headers={**DEPLOY, "Host": host}).json()["totalCount"] >= 0


@pytest.mark.slow
def test_each_refusal_has_an_id_of_its_own_after_a_restart_too(tmp_path: Path) -> None:
    local = Local(tmp_path)

    def refused() -> str:
        return str(ask(local, client_secret="wrong").json()["issueId"])

    seen = [refused(), refused()]
    local.stop()
    local.start()
    seen.append(refused())
    local.close()

    assert len(set(seen)) == 3
