"""SECTIGO_DYNATRACE_CONNECT_TO leads every request to this machine, under the name it was meant for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY
from providers.api import destination
from providers.api.errors import ApiError, Refused
from providers.api.http import Http
from providers.api.redaction import Redactor

ENVIRONMENT = "https://nhv31415.live.dynatrace.com"


@pytest.fixture(autouse=True)
def announce_anew() -> Iterator[None]:
    destination.announce.cache_clear()
    yield
    destination.announce.cache_clear()


def led_to(local: Local, monkeypatch: pytest.MonkeyPatch) -> Http:
    monkeypatch.setenv(destination.VARIABLE, local.url.removeprefix("http://"))
    return Http(Redactor())


def test_a_real_environments_requests_reach_the_local_one(
    local: Local, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    http = led_to(local, monkeypatch)

    answer: Any = http.send("GET", f"{ENVIRONMENT}/api/v2/credentials", headers=DEPLOY, query={"pageSize": 5})

    assert answer["totalCount"] == 1
    [line] = local.sim("GET", "requests?api=vault")["requests"]
    assert (line["method"], line["status"]) == ("GET", 200)
    Http(Redactor())
    assert capsys.readouterr().err.count("none to Dynatrace or Sectigo") == 1, "told once per process"


def test_scm_and_both_sign_on_hosts_are_let_in(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    http = led_to(local, monkeypatch)
    for url in (
        "https://audit.enterprise.sectigo.com/api/v1/records?to=2026-01-29T10:00:00Z",
        "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token",
        "https://sso.dynatrace.com/sso/oauth2/token",
        "https://nhv31415.apps.dynatrace.com/platform/automation/v1/workflows",
    ):
        with pytest.raises(ApiError) as refused:
            http.send("POST" if "token" in url else "GET", url, headers={}, writes=False)
        assert refused.value.status in (400, 401, 415), "the API answers, not the guard"


def test_names_of_nobody_in_particular_stay_out(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    http = led_to(local, monkeypatch)
    for host in ("rebinding.example", "live.dynatrace.com.evil.example", "dynatrace.com.evil.example:443"):
        with pytest.raises(ApiError) as refused:
            http.send("GET", f"https://{host}/api/v2/credentials", headers=DEPLOY)
        assert refused.value.status == 421


@pytest.mark.parametrize(
    "address", ["evil.example:80", "10.0.0.1:8787", "127.0.0.1", "http://127.0.0.1:1", "0.0.0.0:1"]
)
def test_anything_but_loopback_is_refused_before_a_token_leaves(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(destination.VARIABLE, address)
    with pytest.raises(Refused, match="must be a loopback address"):
        Http(Redactor())
