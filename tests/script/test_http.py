"""HTTP and authentication: cases 27 to 31 of the torture list (facts: sectigo 4)."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from .connector import RECORDS, SECRET, Connector

TOKEN = "/auth/*/token"


def token_fault(connector: Connector, **rule: Any) -> None:
    connector.fault(**{"api": "*", "path": TOKEN, "caller": "script", **rule})


def access_token(connector: Connector) -> str:
    """One that SCM accepts."""
    client = {"client_id": "7d1f3a52-9c0b-4e0e-8a44-5ec719000001", "client_secret": SECRET}
    path = "/auth/realms/apiclients/protocol/openid-connect/token"
    answer = connector.local.call("POST", path, data={"grant_type": "client_credentials", **client})
    return str(answer.json()["access_token"])


def test_27_a_token_that_expires_between_pages_is_renewed_and_the_page_asked_for_again(connector: Connector) -> None:
    connector.options(scm_page_size=10)
    connector.issue(*connector.records_before(30))
    connector.page_fault(nth=2, status=401, body={"code": -16, "description": "Unknown user"})

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert connector.ids_arrived() == sorted(f"r{i}" for i in range(30))
    assert len(connector.requests(TOKEN)) == 2
    assert connector.queries[1] == connector.queries[2]


def test_27_a_second_401_for_the_same_page_fails_with_its_reason(connector: Connector) -> None:
    connector.page_fault(times=2, status=401, body={"code": -16, "description": "Unknown user"})

    ran = connector.run()

    assert ran.state == "ERROR" and "SCM audit API: 401 Unknown user" in ran.info


def test_27_a_token_that_expires_while_the_script_waits_is_renewed_before_the_retry(connector: Connector) -> None:
    connector.options(scm_token_lifetime_s=30)
    connector.issue(*connector.records_before(3))
    connector.page_fault(status=429, headers={"Retry-After": "60"})

    assert connector.run().outcome == "caught up"
    assert len(connector.requests(TOKEN)) == 2
    assert [line["status"] for line in connector.requests(RECORDS)] == [429, 200, 200]


def test_27_a_long_catch_up_renews_its_token_in_time(connector: Connector) -> None:
    connector.options(scm_token_lifetime_s=60, scm_page_size=10)
    connector.issue(*connector.records_before(100))
    connector.page_fault(times=None, delay_s=5)

    connector.run()

    assert len(connector.arrived()) == 100
    assert len(connector.requests(TOKEN)) == 2
    assert {line["status"] for line in connector.requests(RECORDS)} == {200}


def test_28_a_wrong_client_fails_at_once_and_its_secret_is_not_reported(connector: Connector) -> None:
    echo = {"error": "invalid_client", "error_description": f"Invalid client secret {SECRET}"}
    token_fault(connector, status=401, body=echo, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "check sectigoClientId and sectigoClientSecret" in ran.info
    assert len(connector.requests(TOKEN)) == 1
    assert SECRET not in ran.log + ran.info + str(connector.ledger())


def test_28_a_token_endpoint_that_is_down_for_a_moment_is_asked_again(connector: Connector) -> None:
    token_fault(connector, status=503)

    assert connector.run().outcome == "caught up"


@pytest.mark.parametrize(
    "body", [{}, {"access_token": ""}, {"access_token": 7}, "null", '"text"', "<html>Sign in</html>"]
)
def test_28_a_200_without_an_access_token_fails_with_the_reason(connector: Connector, body: Any) -> None:
    token_fault(connector, status=200, body=body, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "answered without an access_token" in ran.info


@pytest.mark.parametrize("lifetime", ["300", None, -5, 0])
def test_28_a_token_of_unknown_lifetime_is_used(connector: Connector, lifetime: Any) -> None:
    real = access_token(connector)
    token_fault(connector, status=200, body={"access_token": real, "expires_in": lifetime}, times=None)

    assert connector.run().outcome == "caught up"


@pytest.mark.parametrize("address", ["https://evil.example/token", "http://auth.sso.sectigo.com/token"])
def test_29_the_secret_is_sent_to_the_configured_address_only(connector: Connector, address: str) -> None:
    header = {"WWW-Authenticate": f'Bearer authorization_uri="{address}"'}
    connector.page_fault(status=401, body={"code": -16, "description": "Unknown user"}, headers=header)

    assert connector.run().outcome == "caught up"
    assert {line["path"] for line in connector.requests("/auth/*") + connector.requests("/token")} == {
        "/auth/realms/apiclients/protocol/openid-connect/token"
    }
    assert "evil.example" not in connector.run().log


def test_29_a_redirect_is_not_followed(connector: Connector) -> None:
    token_fault(connector, status=307, body="", headers={"Location": "https://evil.example/token"}, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "redirect" in ran.info.lower()


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7), ("7.5", 7.5, 7.5), ("date+7", 6, 7), ("date-7", 0, 1), ("-1", 0, 1), ("abc", 0, 1), ("1e9", 0, 1),
        ("", 0, 1), (None, 0, 1),
    ],
)  # fmt: skip
def test_30_retry_after_is_a_lower_bound_in_both_its_forms(
    connector: Connector, value: str | None, least: float, most: float
) -> None:
    if value and value.startswith("date"):
        value = format_datetime(connector.now + timedelta(seconds=int(value[4:])), usegmt=True)
    connector.page_fault(status=429, headers={} if value is None else {"Retry-After": value})

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert least <= ran.result["durationSeconds"] <= most
    assert ran.result["retries"] == 1


def test_31_a_secret_of_awkward_characters_arrives_intact(connector: Connector) -> None:
    secret = "=!][\"'$\\`{{x}}%20+&\u00fc\u6f22\U0001f511 end"
    client = {"id": "7d1f3a52-9c0b-4e0e-8a44-5ec7190000ff", "secret": secret}
    connector.local.sim("POST", "identities", {"scmClients": [client]})
    connector.rotate(client["id"], secret)

    assert connector.run().outcome == "caught up"


def test_a_host_that_is_not_allowed_yet_is_waited_for(connector: Connector) -> None:
    connector.options(allowlist_settles_s=10.0)
    connector.disallow("auth.sso.sectigo.com")
    connector.pass_time(1)
    connector.allow_all()

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert "waiting for new hosts in the outbound allowlist" in ran.log


def test_a_host_that_is_not_allowed_at_all_is_named(connector: Connector) -> None:
    connector.disallow("audit.demo.sectigo.com")

    ran = connector.run()

    assert ran.state == "ERROR"
    assert "audit.demo.sectigo.com" in ran.info and "Settings > General > External requests" in ran.info
    assert connector.read("lock") == "IDLE"


def test_new_vault_entries_are_waited_for(connector: Connector) -> None:
    connector.options(credential_settles_s=8.0)

    ran = Connector(connector.local).run()

    assert ran.outcome == "caught up"
    assert "waiting for new vault entries to become usable" in ran.log


def test_L15_an_entry_whose_scope_excludes_scripts_is_reported_at_once(connector: Connector) -> None:
    refusal = {"error": {"code": 400, "message": "The credential does not have the scope APP_ENGINE"}}
    connector.fault(path=f"*credentials/{connector.ids['scm']}*", caller="script", status=400, body=refusal, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "its scope must be AppEngine" in ran.info
    assert "waiting for new vault entries" not in ran.log
