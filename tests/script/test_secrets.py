"""Secrets that servers repeat, and tokens that no header can hold (docs: assumptions L5)."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from .connector import INGEST, RECORDS, SECRET, Connector, Ran
from .test_http import TOKEN, access_token, token_fault

INGEST_TOKEN = "dt0c01.PUBLICPARTOFITALL234567."
PRIVATE_PART = "K7" * 32


def everything(connector: Connector, ran: Ran) -> str:
    return ran.log + ran.info + json.dumps(ran.result) + json.dumps(connector.ledger())


@pytest.mark.parametrize("status", [401, 503])
@pytest.mark.parametrize("before", [0, 170, 190, 480])
def test_L5_a_token_endpoint_that_repeats_the_request_shows_no_secret(
    connector: Connector, before: int, status: int
) -> None:
    spelled = [SECRET, quote(SECRET), quote_plus(SECRET).lower(), b64encode(f"id:{SECRET}".encode()).decode()]
    for nth, secret in enumerate(spelled, start=1):
        token_fault(connector, nth=nth, status=status, body={"message": f"{'x' * before} {secret} is wrong"})
    last = spelled[-1] if status == 503 else spelled[0]

    ran = connector.run()

    assert ran.state == "ERROR" and str(status) in ran.info
    told = everything(connector, ran)
    for secret in [*spelled, last]:
        assert not [at for at in range(len(secret) - 12) if secret[at : at + 12] in told]


def test_L5_an_access_token_that_scm_repeats_is_not_shown(connector: Connector) -> None:
    real = access_token(connector)
    token_fault(connector, status=200, body={"access_token": real, "expires_in": 300}, times=None)
    connector.page_fault(status=403, body={"description": f"{'x' * 180} Bearer {real} may not"}, times=None)

    ran = connector.run()

    assert "is audit API access enabled" in ran.info and "***" in ran.info
    assert not [at for at in range(len(real) - 12) if real[at : at + 12] in everything(connector, ran)]


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\x00", " ", "ü"])
def test_L5_a_token_that_no_header_can_hold_is_named_with_its_position(connector: Connector, break_: str) -> None:
    connector.write("ingest", INGEST_TOKEN + PRIVATE_PART + break_ + PRIVATE_PART)

    ran = connector.run()

    assert ran.state == "ERROR" and "vault entry Sectigo SCM ingest: character 96 of the token" in ran.info
    assert "retry" not in ran.log and PRIVATE_PART[:12] not in ran.log + ran.info
    assert connector.requests(INGEST) == connector.requests(TOKEN) == []


def test_L5_an_access_token_that_no_header_can_hold_is_reported_without_another_try(connector: Connector) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.abcdefghijklmnop\r\nX-Forwarded: 1"
    token_fault(connector, status=200, body={"access_token": token}, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "SCM's token endpoint: character 38 of the token (U+000D)" in ran.info
    assert len(connector.requests(TOKEN)) == 1 and connector.requests(RECORDS) == []
    assert "abcdefghijkl" not in everything(connector, ran)
