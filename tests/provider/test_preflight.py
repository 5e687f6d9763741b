"""Before the first write: everything that is missing, in one report that people understand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import PERSON, SERVICE_USER, new_token
from providers.api.errors import PreflightFailed
from providers.api.identities import User
from providers.api.scopes import AUTOMATION_SCOPES
from tests.provider.conftest import CLIENT, connect

SCOPES = ("credentialVault.read", "credentialVault.write", "settings.read", "settings.write")


def report(local: Local, **changes: str) -> str:
    with pytest.raises(PreflightFailed) as caught:
        connect(local, **changes).ready()
    text = str(caught.value)
    assert text.startswith(f"preflight of {local.url} failed, nothing was written:")
    assert "configuring-the-connector.html" in text, "the manual's page tells how to fix it"
    return text


def test_a_good_configuration_passes_once_with_six_calls(local: Local) -> None:
    environment = connect(local)
    local.sim("DELETE", "requests")

    assert environment.ready() == []
    assert environment.ready() == []

    assert len(local.sim("GET", "requests")["requests"]) == 6


def test_everything_missing_is_reported_at_once(local: Local) -> None:
    token = new_token(local, "credentialVault.read", "logs.ingest")
    client = {**CLIENT, "id": "dt0s02.NARROW", "secret": "dt0s02.NARROW.X", "scopes": ["automation:workflows:read"]}
    local.sim("POST", "identities", {"oauthClients": [client]})

    text = report(
        local,
        api_token=token,
        log_ingest_token="",
        oauth_client_id="dt0s02.NARROW",
        oauth_client_secret=client["secret"],
    )

    assert "dynatraceApiToken: token" in text
    assert "lacks the scopes credentialVault.write, settings.read, settings.write" in text
    assert (
        "oauthClientId: OAuth client dt0s02.NARROW lacks automation:workflows:write, automation:workflows:run" in text
    )


def test_problems_of_both_tokens_are_reported_together(local: Local) -> None:
    text = report(local, api_token=new_token(local, *SCOPES[1:]), log_ingest_token=new_token(local, "metrics.ingest"))

    assert "lacks the scope credentialVault.read" in text
    assert "logIngestToken: token" in text
    assert "lacks the scope logs.ingest" in text


def test_the_one_token_of_the_manual_needs_logs_ingest_too(local: Local) -> None:
    assert "lacks the scope logs.ingest" in report(local, api_token=new_token(local, *SCOPES), log_ingest_token="")


def test_a_wrong_log_ingest_token_is_reported_by_its_own_key(local: Local) -> None:
    text = report(local, log_ingest_token=f"dt0c01.{'A' * 24}.{'B' * 64}")

    assert "logIngestToken: this environment does not know the token" in text
    assert "BBBB" not in text


def test_a_wrong_api_token_is_reported_with_what_to_check(local: Local) -> None:
    text = report(local, api_token=f"dt0c01.{'A' * 24}.{'B' * 64}")

    assert "dynatraceApiToken" in text
    assert "401" in text
    assert "belongs to the environment of dynatraceEnvironmentUrl" in text
    assert "logIngestToken" not in text, "nobody can ask about it"
    assert "BBBB" not in text


def test_a_token_that_expires_soon_causes_a_warning(local: Local) -> None:
    soon = (datetime.now(UTC) + timedelta(days=5, hours=1)).isoformat()
    token = new_token(local, *SCOPES, "logs.ingest", expirationDate=soon)

    assert connect(local, api_token=token).ready() == [
        f"dynatraceApiToken: token {token.rsplit('.', 1)[0]} expires in 5 days ({soon[:19]}.000Z)"
    ]


def test_an_expired_log_ingest_token_is_reported(local: Local) -> None:
    token = new_token(local, "logs.ingest", expirationDate="2026-01-01T00:00:00Z")

    assert f"logIngestToken: token {token.rsplit('.', 1)[0]} expired on 2026-01-01" in report(
        local, log_ingest_token=token
    )


def test_a_disabled_token_is_reported(local: Local) -> None:
    token = new_token(local, "logs.ingest")
    local.sim("PATCH", f"api-tokens/{token.rsplit('.', 1)[0]}", {"enabled": False})

    assert "is disabled" in report(local, log_ingest_token=token)


@pytest.mark.parametrize(
    "changes",
    [
        {"oauth_client_secret": "dt0s02.LOCALCLI.WRONG"},
        {"oauth_client_id": "dt0s02.UNKNOWN"},
        {"account_urn": "urn:dtaccount:99999999-0000-4000-8000-000000000001"},
    ],
)
def test_secret_client_and_account_must_match(local: Local, changes: dict[str, str]) -> None:
    text = report(local, **changes)

    assert "oauthClientId: OAuth client dt0s02." in text
    assert "Check oauthClientSecret, oauthClientId and accountUrn; the client must belong to that account" in text
    assert "(reference " in text, "Dynatrace's support asks for it"


def test_a_wrong_apps_url_is_reported_before_the_vault_is_written(local: Local) -> None:
    text = report(local, apps_url=f"{local.url}/nowhere")

    assert f"appsUrl {local.url}/nowhere: GET" in text


def test_an_address_without_an_answer_is_reported_with_its_host(local: Local) -> None:
    with pytest.raises(PreflightFailed, match=r"no answer from 127\.0\.0\.1:1 .*Nothing listens there"):
        connect(local, environment_url="http://127.0.0.1:1").ready()


def test_other_resources_of_the_same_process_say_one_line(local: Local) -> None:
    environment = connect(local, oauth_client_secret="dt0s02.LOCALCLI.WRONG")
    with pytest.raises(PreflightFailed):
        environment.ready()

    with pytest.raises(PreflightFailed, match=r"^stopped by the preflight; its report is shown with another resource"):
        environment.ready()


def test_a_gateways_page_with_429_is_waited_out(
    local: Local,
) -> None:
    waits: list[float] = []
    page = {"status": 429, "headers": {"Retry-After": "17"}, "body": "<html>Too Many Requests</html>"}
    local.sim("POST", "faults", {"api": "tokens", **page})

    assert connect(local, sleep=waits.append).ready() == []

    assert waits == [17.0]


def test_scopes_of_a_feature_are_missing_only_where_it_is_used(local: Local) -> None:
    needed = [*AUTOMATION_SCOPES, "document:documents:read", "document:documents:delete"]
    client = {**CLIENT, "id": "dt0s02.MANUAL", "secret": "dt0s02.MANUAL.X", "scopes": needed}
    local.sim("POST", "identities", {"oauthClients": [client]})
    its = {"oauth_client_id": client["id"], "oauth_client_secret": client["secret"]}

    assert connect(local, **its).ready() == []
    text = report(local, **its, features="dashboard alerts")

    assert "dashboard: OAuth client dt0s02.MANUAL lacks document:documents:write. Add the scopes at https://" in text
    assert "alerts: OAuth client dt0s02.MANUAL lacks settings:objects:read" in text
    assert "turn the feature off: pulumi config rm dashboard" in text


SERVICE, MARA, OTHER = SERVICE_USER, PERSON, {"id": "5ec71900-0000-4000-8000-0000000000a9", "email": "o@x.example"}
TOKEN_SCOPES = (*SCOPES, "logs.ingest")


@pytest.mark.parametrize(
    ("owner", "subject", "actor", "fix"),
    [
        (SERVICE, SERVICE, None, ""),
        (SERVICE, SERVICE, SERVICE, ""),
        (SERVICE, MARA, SERVICE, ""),
        (MARA, SERVICE, None, f"use a dynatraceApiToken of {SERVICE['email']}"),
        (MARA, SERVICE, SERVICE, f"use a dynatraceApiToken of {SERVICE['email']}"),
        (SERVICE, MARA, None, f"use a dynatraceApiToken of {MARA['email']}"),
        (MARA, MARA, SERVICE, f"set workflowActor to {MARA['id']}, or remove it"),
        (SERVICE, MARA, OTHER, f"use a dynatraceApiToken and an OAuth client of {OTHER['id']}"),
    ],
)
@pytest.mark.parametrize("owner_only", ["true", ""])
def test_users_are_compared_before_the_first_write(
    local: Local, owner: Any, subject: Any, actor: Any, fix: str, owner_only: str
) -> None:
    token = new_token(local, *TOKEN_SCOPES, owner=owner["email"])
    mara = {**PERSON, "permissions": [*PERSON["permissions"], "app-engine:apps:run"]}
    local.sim("POST", "identities", {"users": [mara], "oauthClients": [{**CLIENT, "subject": subject["email"]}]})
    changes = {"api_token": token, "workflow_actor": actor["id"] if actor else "", "owner_only": owner_only}

    if not fix:
        assert connect(local, **changes).ready() == []
        return
    if owner_only:
        text = report(local, **changes)
        shown = owner["email" if owner is subject else "id"]  # the OAuth client's user is known by both names
        assert f"credentialsOwnerOnly: dynatraceApiToken belongs to {shown}" in text
        assert "which may not read entries of another owner" in text
    else:
        [text] = connect(local, **changes).ready()
        assert "which needs environment:roles:manage-settings" in text
    assert fix in text


def test_without_the_optional_scope_only_named_users_are_compared(local: Local) -> None:
    token = new_token(local, *TOKEN_SCOPES, owner=MARA["email"])
    scopes = ["automation:workflows:read", "automation:workflows:write", "automation:workflows:run"]
    local.sim("POST", "identities", {"oauthClients": [{**CLIENT, "scopes": scopes}]})

    assert connect(local, api_token=token, owner_only="true").ready() == []
    text = report(local, api_token=token, owner_only="true", workflow_actor=SERVICE["id"])
    assert f"use a dynatraceApiToken of {SERVICE['id']}" in text


def test_users_that_are_named_in_different_ways_stop_nothing() -> None:
    one, other = User(id="5ec71900-0000-4000-8000-0000000000a1"), User(email="a@x.example")

    assert not one.differs_from(other)
    assert not one.differs_from(User(id=one.id.upper(), email="b@x.example"))
    assert other.differs_from(User(email="b@x.example"))
