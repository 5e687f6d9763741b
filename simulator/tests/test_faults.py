"""Fault rules: what is refused, and what becomes of a call that is hit."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, lookup

from . import ROOT

PLATFORM = "/platform/automation/v1/workflows"


def test_a_fault_answers_instead_of_the_api_and_counts(local: Local) -> None:
    rule = local.sim("POST", "faults", {"api": "tokens", "status": 503, "headers": {"Retry-After": "7"}, "nth": 2})

    statuses = [lookup(local).status_code for _ in range(3)]

    assert statuses == [200, 503, 200]
    (shown,) = local.sim("GET", "faults")["faults"]
    assert (shown["id"], shown["seen"], shown["hit"]) == (rule["id"], 3, 1)
    assert [line["fault"] for line in local.sim("GET", "requests")["requests"]] == [None, rule["id"], None]


def test_a_stale_read_is_answered_as_it_was_before_the_last_write(local: Local) -> None:
    entry = {"name": "before", "type": "TOKEN", "scopes": ["APP_ENGINE"], "token": "secret"}
    path = f"/api/v2/credentials/{local.call('POST', '/api/v2/credentials', headers=DEPLOY, json=entry).json()['id']}"

    def name() -> str:
        return str(local.call("GET", path, headers=DEPLOY).json()["name"])

    assert name() == "before"
    assert local.call("PUT", path, headers=DEPLOY, json={**entry, "name": "after"}).status_code == 204
    local.sim("POST", "faults", {"api": "vault", "method": "GET", "stale": True, "times": 2})

    stale = [name(), name(), name()]
    assert stale == ["before", "before", "after"]
    assert local.call("DELETE", path, headers=DEPLOY).status_code == 204
    local.sim("POST", "faults", {"api": "vault", "stale": True, "times": None})
    assert name() == "after"  # deleted, and this replica does not know
    assert local.call("GET", path).status_code == 401


def test_faults_are_removed_one_by_one_or_all(local: Local) -> None:
    first, second = (local.sim("POST", "faults", {"api": "scm", "cut": cut})["id"] for cut in ("before", "after"))

    local.sim("DELETE", f"faults/{first}")
    assert [rule["id"] for rule in local.sim("GET", "faults")["faults"]] == [second]
    assert local.call("DELETE", f"/_sim/faults/{first}").status_code == 404
    local.sim("DELETE", "faults")
    assert local.sim("GET", "faults") == {"faults": []}


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"api": "scm", "stauts": 500}, "stauts"),
        ({"api": "scm", "status": "500"}, "status"),
        ({"api": "scm", "cut": "sometimes"}, "cut"),
        ({"api": "scm", "stale": True}, "only for vault"),
        ({"tick": "drop", "api": "automation", "status": 500}, "no api, status"),
        ({"api": "scm"}, "does nothing"),
        ({"status": 500, "nth": 0}, "nth"),
        ({"status": 500, "times": True}, "times"),
        ({"status": 5}, "status: expected 200 to 599"),
        ({"status": 99999}, "status: expected 200 to 599"),
        ({"status": 204, "body": {}}, "body: an answer 204 has none"),
        ({"delay_s": 1e300}, "delay_s: expected 0 to 86400"),
        ({"delay_s": float("nan")}, "delay_s: expected 0 to 86400"),
        ({"status": 500, "probability": float("inf")}, "probability: expected 0 to 1"),
        ({"status": 500, "headers": {"X": "a\r\nSet-Cookie: b"}}, "headers: X"),
        ({"status": 500, "headers": {"X": "\u0142"}}, "headers: X"),
        ({"status": 500, "headers": {"X": " padded "}}, "headers: X"),
        ({"status": 500, "headers": {"not a token": "x"}}, "headers: 'not a token'"),
        ({"status": 500, "headers": {"Content-Length": "3"}}, "headers: Content-Length"),
        ({"status": 500, "headers": {"transfer-encoding": "chunked"}}, "headers: transfer-encoding"),
        ({"strip_headers": ["Content-Length"]}, "strip_headers: Content-Length"),
        ({"api": "valut", "status": 500}, "api"),
        ({"method": "FETCH", "status": 500}, "method"),
        ({"status": 500, "headers": {"Retry-After": 7}}, "headers"),
        ([], "object"),
    ],
)
def test_a_wrong_fault_rule_is_refused_and_named(local: Local, rule: Any, named: str) -> None:
    answer = local.call("POST", "/_sim/faults", data=json.dumps(rule))

    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert local.sim("GET", "faults") == {"faults": []}


@pytest.mark.parametrize("rule", [{"status": 204}, {"status": 304}, {"status": 500, "body": "\ud800"}])
def test_whatever_a_rule_answers_is_http(local: Local, rule: dict[str, Any]) -> None:
    local.sim("POST", "faults", {"api": "tokens", **rule})

    assert lookup(local).status_code == rule["status"]


def test_an_empty_answer_is_not_compressed(local: Local) -> None:
    entry = {"name": "Mine", "type": "TOKEN", "scopes": ["APP_ENGINE"], "token": "secret"}
    path = f"/api/v2/credentials/{local.call('POST', '/api/v2/credentials', headers=DEPLOY, json=entry).json()['id']}"
    local.sim("POST", "faults", {"api": "vault", "gzip": True})

    answer = local.call("PUT", path, headers=DEPLOY, json=entry)

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_rule_for_everything_spares_what_removes_it(local: Local) -> None:
    local.sim("POST", "faults", {"api": "*", "times": None, "cut": "before"})

    with pytest.raises(requests.ConnectionError):
        lookup(local)

    assert local.call("GET", "/_sim/ui/controls").status_code == 200
    local.sim("DELETE", "faults")
    assert lookup(local).status_code == 200


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_without_a_body_the_platform_s_gateway_answers(local: Local, status: int) -> None:
    local.sim("POST", "faults", {"api": "automation", "status": status, "times": 2})
    local.sim("POST", "faults", {"path": PLATFORM, "status": status, "headers": {"Retry-After": "7"}})

    first, second, third = (local.call("GET", PLATFORM) for _ in range(3))

    assert [each.status_code for each in (first, second, third)] == [status] * 3
    assert first.headers["dynatrace-response-source"] == "API Gateway"
    error = first.json()["error"]
    assert (error["code"], error["retryAfterSeconds"]) == (status, 1)
    assert error["details"].keys() == {"errorCode", "errorRef", "errorCodeProperties"}
    assert error["details"]["errorRef"] != second.json()["error"]["details"]["errorRef"]
    assert (third.headers["Retry-After"], third.json()["error"]["retryAfterSeconds"]) == ("7", 7)


def test_without_a_body_a_classic_api_has_its_one_text_for_429(local: Local) -> None:
    local.sim("POST", "faults", {"api": "tokens", "status": 429})
    local.sim("POST", "faults", {"api": "tokens", "status": 503})

    first, second = lookup(local), lookup(local)

    assert first.json() == {"error": {"code": 429, "message": "Too many requests."}}
    assert second.json() == {"error": {"code": 503, "message": "Fault"}}
    assert "dynatrace-response-source" not in first.headers


def test_a_body_of_the_rule_s_own_goes_out_as_it_is(local: Local) -> None:
    local.sim("POST", "faults", {"api": "automation", "status": 503, "body": {"mine": True}})

    answer = local.call("GET", PLATFORM)

    assert answer.json() == {"mine": True}
    assert "dynatrace-response-source" not in answer.headers


def test_every_fault_rule_of_the_readme_is_accepted(local: Local) -> None:
    text = (ROOT / "simulator" / "README.md").read_text(encoding="utf-8").partition("## Faults")[2]
    rules = [json.loads(found) for found in re.findall(r"^\| `(\{.*\})` \|", text, re.MULTILINE)]

    assert len(rules) > 5
    for rule in rules:
        local.sim("POST", "faults", rule)
