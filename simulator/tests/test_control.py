"""The control API: what tests and curious people steer the local environment with."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.__main__ import options, parser
from local_dynatrace.kernel.options import Options
from local_dynatrace.plugins import found, options_type
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, SEED, bearer, lookup
from local_dynatrace.testing.callers import DEPLOY_TOKEN as TOKEN

from . import ROOT

PUBLIC = ".".join(TOKEN.split(".")[:2])
START = "2026-01-29T10:00:00.000Z"


def started_workflow(local: Local, script: str) -> str:
    """Deploy a workflow of one script and run it; returns the execution's id."""
    caller = bearer(local, "automation:workflows:write", "automation:workflows:run")
    action = "dynatrace.automations:run-javascript"
    task = {"name": "run", "action": action, "input": {"script": script}, "position": {"x": 0, "y": 1}}
    body = {"title": "Test", "tasks": {"run": task}}
    made = local.call("POST", "/platform/automation/v1/workflows", json=body, headers=caller)
    assert made.status_code == 201, made.text
    started = local.call("POST", f"/platform/automation/v1/workflows/{made.json()['id']}/run", json={}, headers=caller)
    assert started.status_code == 201, started.text
    return str(started.json()["id"])


def state_of(local: Local, execution: str) -> str:
    rows = local.sim("GET", "dump", all="true")["executions"]
    return next(row["state"] for row in rows if row["id"] == execution)


ENDLESS = "export default async function () { for (;;) await new Promise((resolve) => setTimeout(resolve, 1000)); }"


def test_health_names_every_part(local: Local) -> None:
    health = local.sim("GET", "health")

    assert health["status"] == "ready"
    assert {"sso", "vault", "settings", "automation", "logs", "grail", "scm", "control", "pages"} <= set(health["apis"])
    assert health["clock"] == {"mode": "auto", "now": START, "nowUs": 1769680800000000}
    assert (health["scheduler"], health["runtime"], health["faults"]) == ("off", {"running": []}, [])


def test_an_answer_carries_no_secret_of_the_seed(local: Local) -> None:
    secrets = [token["token"].split(".")[2] for token in SEED["api_tokens"]]
    secrets += [SEED["scm_clients"][0]["secret"], SEED["others"]["credentials"][0]["token"]]
    lookup(local)

    for path in ("health", "dump?all=true", "requests?all=true", "options"):
        text = local.call("GET", f"/_sim/{path}").text
        assert not [secret for secret in secrets if secret in text or json.dumps(secret)[1:-1] in text]


def test_reset_goes_back_to_the_seed_with_options_faults_and_request_log(local: Local) -> None:
    before = local.sim("GET", "dump")
    token = {"token": f"dt0c01.{'A' * 24}.{'B' * 64}", "owner": "mara.lindqvist@nordhav.example", "scopes": []}
    local.sim("POST", "identities", {"apiTokens": [token]})
    local.sim("POST", "faults", {"api": "scm", "status": 500})
    local.sim("PATCH", "options", {"old_records": "refuse"})
    local.sim("POST", "clock", {"step": 60})
    lookup(local)
    assert local.sim("GET", "dump") != before

    health = local.sim("POST", "reset")

    assert local.sim("GET", "dump") == before
    assert health["faults"] == []
    assert health["options"]["old_records"] == "drop"
    assert health["clock"]["now"] == START
    assert local.sim("GET", "requests")["requests"] == []


def test_reset_kills_running_scripts(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "frozen"})
    execution = started_workflow(local, ENDLESS)
    assert local.sim("GET", "health")["runtime"]["running"] == [execution]

    health = local.sim("POST", "reset")

    assert health["runtime"]["running"] == []
    assert local.sim("GET", "dump", all="true")["executions"] == []
    local.sim("POST", "clock", {"mode": "auto"})


def test_options_change_while_running(local: Local) -> None:
    assert local.sim("PATCH", "options", {"scm_page_size": 7})["scm_page_size"] == 7
    assert local.sim("GET", "options")["scm_page_size"] == 7


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"port": 1}, "port"), ({"nope": 1}, "nope"), ({"scm_page_size": "7"}, "scm_page_size"), ([1], "object"),
        ({"script_memory_mb": -5}, "script_memory_mb: expected 32 to 16384"),
        ({"scm_page_size": 0, "scheduler": False}, "scm_page_size: expected 1 to 10000"),
        ({"script_limit_s": -1.0}, "script_limit_s"), ({"bearer_lifetime_s": 10**30}, "bearer_lifetime_s"),
        ({"scm_latency_ms": float("nan")}, "scm_latency_ms"), ({"scm_skew_s": float("inf")}, "scm_skew_s"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named_and_changes_nothing(local: Local, values: Any, named: str) -> None:
    before = local.sim("GET", "options")

    answer = local.call("PATCH", "/_sim/options", data=json.dumps(values))  # as requests sends no NaN

    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert local.sim("GET", "options") == before


def test_every_number_among_the_options_has_a_range_around_its_default() -> None:
    for each in fields(Options):
        if each.name not in Options().fixed and type(each.default) in (int, float):
            least, most = each.metadata["range"]
            assert least <= each.default <= most, each.name


@pytest.mark.parametrize(
    ("setting", "named"),
    [("script_memory_mb=-5", "expected 32 to 16384"), ("scm_latency_ms=NaN", "expected 0 to 60000")],
)
def test_the_command_line_refuses_what_the_control_api_does(setting: str, named: str) -> None:
    with pytest.raises(ValueError, match=f"{setting.partition('=')[0]}: {named}"):
        options(parser().parse_args(["serve", "--set", setting]))


def test_the_scheduler_is_switched_by_its_option(local: Local) -> None:
    local.sim("PATCH", "options", {"scheduler": True})
    assert local.sim("GET", "health")["scheduler"] == "running"
    local.sim("PATCH", "options", {"scheduler": False})
    assert local.sim("GET", "health")["scheduler"] == "off"


def test_the_clock_steps_jumps_and_changes_its_mode(local: Local) -> None:
    assert local.sim("POST", "clock", {"step": 90.5})["now"] == "2026-01-29T10:01:30.500Z"
    assert local.sim("POST", "clock", {"jump": "2026-03-01T12:00:00+02:00"})["now"] == "2026-03-01T10:00:00.000Z"
    assert local.sim("POST", "clock", {"mode": "frozen", "step": -60})["now"] == "2026-03-01T09:59:00.000Z"
    assert local.sim("GET", "clock")["mode"] == "frozen"
    local.sim("POST", "clock", {"mode": "auto"})


@pytest.mark.parametrize(
    "body", [{}, {"mode": "fast"}, {"jump": "soon"}, {"step": "x"}, {"step": True}, {"jump": START, "step": 1}]
)
def test_a_clock_call_that_makes_no_sense_is_refused(local: Local, body: Any) -> None:
    assert local.call("POST", "/_sim/clock", json=body).status_code == 400
    assert local.sim("GET", "clock")["now"] == START


@pytest.mark.parametrize(
    "body",
    [
        {"jump": "1999-12-31T23:59:59Z"},
        {"jump": "2100-01-01T00:00:01Z"},
        {"mode": "running", "jump": "0001-01-01T00:00:00+14:00"},
        {"mode": "frozen", "step": 3e9},
        {"step": -1e9},
        {"step": 1e305},
        {"step": 10**400},
    ],
)
def test_the_clock_is_not_set_beyond_what_the_rest_can_reckon_with(local: Local, body: Any) -> None:
    answer = local.call("POST", "/_sim/clock", json=body)

    assert answer.status_code == 400, answer.text
    assert re.search("2000-01-01 to 2100-01-01 only|no ISO 8601|from -1e", answer.json()["error"]["message"])
    assert local.sim("GET", "clock") == {"mode": "auto", "now": START, "nowUs": 1769680800000000}


@pytest.mark.parametrize("time", ["2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"])
def test_at_both_ends_of_the_clock_everything_answers(local: Local, time: str) -> None:
    local.sim("POST", "clock", {"jump": time})

    assert lookup(local).status_code == 200
    for path in ("/", "/_sim/ui/controls", "/_sim/ui/connector", "/_sim/state", "/_sim/dump?all=true"):
        assert local.call("GET", path).status_code == 200


def test_the_readme_lists_every_option_with_its_default_and_every_control_call(local: Local) -> None:
    text = (ROOT / "simulator" / "README.md").read_text(encoding="utf-8")
    listed = {key: json.loads(value.strip("`")) for key, value in re.findall(r"^\| `(\w+)` \| (\S+) \|", text, re.M)}

    assert listed == options_type(found())(port=0, state=Path("x")).shown()
    assert "`POST /_sim/reset`" in text


def test_identities_are_added_and_work(local: Local) -> None:
    token = f"dt0c01.{'C' * 24}.{'D' * 64}"
    made = local.sim(
        "POST",
        "identities",
        {
            "users": [{"id": "5ec71900-0000-4000-8000-0000000000ff", "email": "new@nordhav.example"}],
            "apiTokens": [{"token": token, "name": "Own", "owner": "new@nordhav.example", "scopes": ["logs.ingest"]}],
            "oauthClients": [
                {"id": "dt0s02.NEWONE00", "secret": "s", "subject": "new@nordhav.example", "scopes": ["a:b"]}
            ],
        },
    )

    assert made["apiTokens"] == [f"dt0c01.{'C' * 24}"]
    assert lookup(local, token).json()["scopes"] == ["logs.ingest"]


@pytest.mark.parametrize(
    "body",
    [
        {"tokens": []},
        {"users": {}},
        {"apiTokens": [{"token": "x", "scopes": []}]},
        {"apiTokens": [{"token": "x", "owner": "nobody@nordhav.example", "scopes": []}]},
        {"apiTokens": [{"token": "x", "owner": "mara.lindqvist@nordhav.example", "scopes": "logs.ingest"}]},
    ],
)
def test_a_wrong_identity_is_refused(local: Local, body: Any) -> None:
    assert local.call("POST", "/_sim/identities", json=body).status_code == 400


def test_an_api_token_is_disabled_and_expires(local: Local) -> None:
    local.sim("PATCH", f"api-tokens/{PUBLIC}", {"enabled": False})
    assert lookup(local).status_code == 401

    local.sim("PATCH", f"api-tokens/{PUBLIC}", {"enabled": True, "expirationDate": "2026-01-29T10:05:00Z"})
    assert lookup(local).status_code == 200
    local.sim("POST", "clock", {"step": 301})
    assert lookup(local).status_code == 401

    assert "expirationDate" not in local.sim("PATCH", f"api-tokens/{PUBLIC}", {"expirationDate": None})
    assert local.call("PATCH", "/_sim/api-tokens/dt0c01.NONE", json={"enabled": True}).status_code == 404


def test_injected_audit_records_are_listed_before_they_are_visible(local: Local) -> None:
    record = {"id": "r1", "timestamp": "2026-01-29T09:59:00.123456Z", "action": "issue"}
    assert local.sim("POST", "scm/records", {"records": [record], "visibleAfterS": 90}) == {"injected": 1}

    listed = local.sim("GET", "scm/records")
    assert listed["total"] == 1
    (only,) = listed["records"]
    assert (only["record"], only["visible"], only["visibleAt"]) == (record, False, "2026-01-29T10:01:30.000Z")
    local.sim("POST", "clock", {"step": 90})
    assert local.sim("GET", "scm/records")["records"][0]["visible"]
    assert local.sim("GET", "scm/records", **{"from": "2026-01-29T10:00:00Z"})["total"] == 0

    local.sim("DELETE", "scm/records")
    assert local.sim("GET", "scm/records")["total"] == 0


def test_a_running_script_is_frozen_thawed_and_killed(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "frozen"})
    execution = started_workflow(local, ENDLESS)

    local.sim("POST", f"executions/{execution}/freeze")
    local.sim("POST", f"executions/{execution}/thaw")
    assert local.sim("GET", "idle", timeout_s=0)["running"] == [execution]
    local.sim("POST", f"executions/{execution}/kill")

    assert state_of(local, execution) == "ERROR"
    assert local.sim("GET", "idle", timeout_s=0) == {"idle": True, "running": []}
    assert local.call("POST", f"/_sim/executions/{execution}/kill").status_code == 404
    local.sim("POST", "clock", {"mode": "auto"})


def test_idle_returns_when_the_last_script_has_ended(local: Local) -> None:
    execution = started_workflow(local, "export default async function () { return { sent: 3 }; }")

    assert local.sim("GET", "idle", timeout_s=30)["idle"] is True
    assert state_of(local, execution) == "SUCCESS"


def test_a_dump_shows_that_a_secret_changed_but_not_what_it_is(local: Local) -> None:
    entry = {"name": "Mine", "type": "TOKEN", "token": "first-value", "scopes": ["APP_ENGINE"]}
    id_ = local.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).json()["id"]

    def fingerprint() -> str:
        return next(str(row["sealed"]) for row in local.sim("GET", "dump")["credentials"] if row["id"] == id_)

    first = fingerprint()
    local.call("PUT", f"/api/v2/credentials/{id_}", json=entry, headers=DEPLOY)
    assert fingerprint() == first
    local.call("PUT", f"/api/v2/credentials/{id_}", json={**entry, "token": "second"}, headers=DEPLOY)
    assert fingerprint() != first
    local.call("DELETE", f"/api/v2/credentials/{id_}", headers=DEPLOY)


def test_a_deployment_that_is_undone_leaves_an_equal_dump(local: Local) -> None:
    before = local.sim("GET", "dump")
    entry = {"name": "Mine", "type": "TOKEN", "token": "value", "scopes": ["APP_ENGINE"]}
    id_ = local.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).json()["id"]
    assert local.sim("GET", "dump") != before

    local.call("DELETE", f"/api/v2/credentials/{id_}", headers=DEPLOY)

    assert local.sim("GET", "dump") == before


def test_another_host_name_is_not_answered_for(local: Local) -> None:
    assert local.call("GET", "/_sim/health", headers={"Host": "evil.example"}).status_code == 421
    assert local.call("GET", "/_sim/health", headers={"Host": f"localhost:{local.port}"}).status_code == 200
    assert local.call("GET", "/_sim/health", headers={"Host": f"127.0.0.1:{local.port + 1}"}).status_code == 421


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_changes_nothing(local: Local, headers: dict[str, str]) -> None:
    assert local.call("POST", "/_sim/reset", headers=headers).status_code == 403
    assert local.call("GET", "/_sim/health", headers=headers).status_code == 200


def test_a_page_of_its_own_may_change_things(local: Local) -> None:
    assert local.call("DELETE", "/_sim/requests", headers={"Origin": local.url}).status_code == 204


def test_a_path_that_is_not_simulated_says_so(local: Local) -> None:
    answer = local.call("GET", "/_sim/helth")

    assert answer.status_code == 501
    assert "/_sim/health" in answer.json()["error"]["closestRoutes"]
