"""Presets of incidents: each goes on and off, bites, and is told in the README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local_dynatrace.control import presets
from local_dynatrace.kernel.clock import iso
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY
from local_dynatrace.testing.flows import API, author, create, every, get, play

from . import ROOT

ENTRY = {"name": "Kept", "type": "TOKEN", "token": "a-very-private-value", "scopes": ["APP_ENGINE"]}
SSO_FORM = {"grant_type": "client_credentials", "client_id": CLIENT["id"], "client_secret": CLIENT["secret"]}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """With scheduler and stream, as a dev stack has it."""
    local = Local(tmp_path_factory.mktemp("usual"), scheduler=True, scm_stream=True)
    yield local
    local.close()


@pytest.mark.parametrize("name", presets.known())
def test_a_preset_goes_on_and_off(usual: Local, name: str) -> None:
    local = usual
    before = (local.sim("GET", "options"), local.sim("GET", "faults"))

    shown = {preset["name"]: preset for preset in local.sim("POST", f"presets/{name}")["presets"]}
    there = (local.sim("GET", "options"), local.sim("GET", "faults"))
    local.sim("DELETE", f"presets/{name}")

    assert shown[name]["on"]
    assert [other for other in shown if shown[other]["on"]] == [name]
    assert shown[name]["title"] and shown[name]["source"] and shown[name]["look"]
    assert there != before
    assert (local.sim("GET", "options"), local.sim("GET", "faults")) == before


def test_the_readme_tells_every_preset_as_its_file_does() -> None:
    text = (ROOT / "simulator" / "README.md").read_text(encoding="utf-8").partition("### Presets")[2]
    told = re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \| (.*) \|$", text.partition("\n## ")[0], re.MULTILINE)

    assert told == [(name, preset["title"], preset["look"]) for name, preset in presets.known().items()]


def test_an_unknown_preset_is_refused_with_the_known_ones(local: Local) -> None:
    answer = local.call("POST", "/_sim/presets/nothing")

    assert answer.status_code == 404
    assert "script-killed" in answer.json()["error"]["message"]


def made(local: Local) -> str:
    """Path of a new vault entry."""
    entry = {**ENTRY, "allowContextlessRequests": True}
    return f"/api/v2/credentials/{local.call('POST', '/api/v2/credentials', headers=DEPLOY, json=entry).json()['id']}"


def listed(local: Local) -> list[str]:
    entries = local.call("GET", "/api/v2/credentials", headers=DEPLOY).json()["credentials"]
    return [entry["name"] for entry in entries]


def test_a_preset_that_is_on_bites(local: Local) -> None:
    local.sim("POST", "presets/answer-lost-after-commit")

    with pytest.raises(requests.ConnectionError):
        local.call("POST", "/api/v2/credentials", headers=DEPLOY, json=ENTRY)

    assert listed(local).count("Kept") == 1


def asked_by_a_script(local: Local, method: str, path: str, body: Any = None) -> Any:
    """The statuses of ten calls that a script makes to its environment."""
    script = f"""export default async () => {{
      const found = [];
      for (let n = 0; n < 10; n += 1) {{
        const answer = await fetch("/platform/classic/environment-api/v2{path}", {{
          method: "{method}", headers: {{ "content-type": "application/json" }}, body: {body or "undefined"},
        }});
        found.push(answer.status);
      }}
      return found;
    }};"""
    return play(local, script).result


def test_vault_write_refused_stops_scripts_and_nobody_else(local: Local) -> None:
    path = made(local)
    local.sim("POST", "presets/vault-write-refused")

    body = '\'{"name":"Kept","type":"TOKEN","token":"t","scopes":["APP_ENGINE"]}\''
    assert asked_by_a_script(local, "PUT", path.removeprefix("/api/v2"), body) == [403] * 10
    assert local.call("PUT", path, headers=DEPLOY, json=ENTRY).status_code == 204


def test_too_many_requests_meets_clients_and_scripts(local: Local) -> None:
    path = made(local)
    local.sim("POST", "presets/too-many-requests")

    by_client = [local.call("GET", path, headers=DEPLOY) for _ in range(10)]
    local.sim("DELETE", "presets/too-many-requests")
    # The vault's rule alone: a script has to be started first.
    rules = [rule for rule in presets.known()["too-many-requests"]["faults"] if rule["api"] == "vault"]
    for rule in rules:
        local.sim("POST", "faults", rule)

    assert {answer.status_code for answer in by_client} == {200, 429}
    refused = next(answer for answer in by_client if answer.status_code == 429)
    assert (refused.headers["Retry-After"], refused.json()["error"]["message"]) == ("1", "Too many requests.")
    assert set(asked_by_a_script(local, "GET", path.removeprefix("/api/v2"))) == {200, 429}


def test_delete_ignored_says_done_and_keeps_the_entry(local: Local) -> None:
    path = made(local)
    local.sim("POST", "presets/delete-ignored")

    assert local.call("DELETE", path, headers=DEPLOY).status_code == 204
    assert "Kept" in listed(local)


def test_sso_down_and_oauth_client_refused_keep_a_deployment_from_its_token(local: Local) -> None:
    local.sim("POST", "presets/sso-down")
    with pytest.raises(requests.ConnectionError):
        local.call("POST", "/sso/oauth2/token", data=SSO_FORM)
    local.sim("DELETE", "presets/sso-down")

    local.sim("POST", "presets/oauth-client-refused")
    answer = local.call("POST", "/sso/oauth2/token", data=SSO_FORM)

    assert (answer.status_code, answer.json()["message"]) == (400, "Bad Request")


def test_ticks_dropped_lets_three_moments_pass(usual: Local) -> None:
    flow = create(usual, author(usual), trigger=every(10))
    due_us = usual.sim("GET", "clock")["nowUs"] + 600_000_000
    usual.sim("POST", "presets/ticks-dropped")

    for _ in range(3):
        usual.sim("POST", "clock", {"step": 600})
    # The seed's own workflows have schedules, too: theirs count as well.
    for rule in usual.sim("GET", "faults")["faults"]:
        assert rule["hit"] >= 1
    usual.sim("DELETE", "presets/ticks-dropped")

    found = get(usual, author(usual), f"workflows/{flow['id']}")
    assert found["unacknowledgedSkippedScheduleAt"] >= iso(due_us)
    usual.call("DELETE", f"{API}/workflows/{flow['id']}", headers=author(usual))


def test_clock_ahead_is_ten_minutes_in_scripts_alone(local: Local) -> None:
    local.sim("POST", "presets/clock-ahead")

    found = play(local, "export default async () => new Date();")

    assert (found.result[:16], local.sim("GET", "clock")["now"][:16]) == ("2026-01-29T10:10", "2026-01-29T10:00")
