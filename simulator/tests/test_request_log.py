"""The request log: filtered, without secrets, and with a hint for what was refused."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, SEED, lookup
from local_dynatrace.testing.callers import DEPLOY_TOKEN as TOKEN

PUBLIC = ".".join(TOKEN.split(".")[:2])


def test_the_request_log_is_filtered_and_leaves_itself_out(local: Local) -> None:
    lookup(local)
    lookup(local, f"dt0c01.{'X' * 24}.{'Y' * 64}")
    local.call("GET", "/api/v2/credentials")
    local.call("GET", "/nowhere")

    def paths(**filters: Any) -> list[tuple[str, int]]:
        answer = local.call("GET", "/_sim/requests", params=filters)
        return [(line["path"], line["status"]) for line in answer.json()["requests"]]

    assert [status for _, status in paths()] == [200, 401, 401, 501]
    assert paths(api="vault") == [("/api/v2/credentials", 401)]
    assert paths(path="/api/v2/*", status=401, limit=1) == [("/api/v2/credentials", 401)]
    assert paths(method="post", caller="outside", status=200) == [("/api/v2/apiTokens/lookup", 200)]
    assert paths(caller="script") == []
    last = local.sim("GET", "requests")["last"]
    assert paths(since=last) == []
    assert any(path.startswith("/_sim") for path, _ in paths(all="true"))
    assert local.call("GET", "/_sim/requests?who=me").status_code == 400
    local.sim("DELETE", "requests")
    assert paths() == []


def test_the_request_log_names_the_caller_by_the_public_part_of_its_token(local: Local) -> None:
    lookup(local)

    (line,) = local.sim("GET", "requests")["requests"]

    assert line["caller"] == f"api-token {PUBLIC}"


@pytest.mark.parametrize(
    ("address", "path", "query"),
    [
        (f"/api/v2/credentials?api-token={TOKEN}&pageSize=5", "/api/v2/credentials",
         f"api-token={PUBLIC}.[secret]&pageSize=5"),
        (f"/api/v2/credentials?x={TOKEN.replace('.', '%2E')}", "/api/v2/credentials", f"x={PUBLIC}.[secret]"),
        (f"/api/v2/credentials/{TOKEN}", f"/api/v2/credentials/{PUBLIC}.[secret]", ""),
        ("/api/v2/credentials?client%5Fsecret=s3cret&password=s3cret", "/api/v2/credentials",
         "client_secret=[secret]&password=[secret]"),
        (f"/api/v1/records?token={'s3cret' * 8}", "/api/v1/records", "token=[secret]"),
        ("/api/v1/records?token=eyJs3cret.eyJzdWIi.c2lnbg", "/api/v1/records", "token=[secret]"),
        # SCM's page cursor is none, and what holds no secret stays as it came.
        ("/api/v1/records?token=2026-01-29T09%3A44%3A11.611092Z%7C000000000000002a", "/api/v1/records",
         "token=2026-01-29T09%3A44%3A11.611092Z%7C000000000000002a"),
        ("/api/v2/credentials?name=a%20b+c&password=", "/api/v2/credentials", "name=a%20b+c&password="),
    ],
)  # fmt: skip
def test_no_secret_of_an_address_is_logged(local: Local, address: str, path: str, query: str) -> None:
    local.call("GET", address)

    (line,) = local.sim("GET", "requests")["requests"]
    page = local.call("GET", "/_sim/ui/requests").text

    assert (line["path"], line["query"]) == (path, query)
    assert not [text for text in ("s3cret", TOKEN.split(".")[2]) if text in json.dumps(line) + page]


def test_a_classic_api_takes_the_token_as_a_query_parameter_too(local: Local) -> None:
    ingest = next(each["token"] for each in SEED["api_tokens"] if "logs.ingest" in each["scopes"])
    answers = [
        local.call("GET", f"/api/v2/credentials?api-token={TOKEN}"),
        local.call("GET", "/api/v2/credentials?api-token=dt0c01.none"),
        local.call("GET", f"/platform/classic/environment-api/v2/credentials?api-token={TOKEN}"),
        local.call("POST", f"/api/v2/logs/ingest?api-token={ingest}&team=red", json={"content": "by query"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 401, 401, 204]
    kept = json.dumps([local.sim("GET", "dump", all="true"), local.sim("GET", "requests")])
    assert "red" in kept
    assert not [token for token in (TOKEN, ingest) if token.split(".")[2] in kept]


def test_a_refused_line_of_the_request_log_says_what_to_try_instead(local: Local) -> None:
    lookup(local)
    local.call("GET", "/api/v2/credentials")
    local.call("GET", "/api/v2/credential")
    local.sim("POST", "faults", {"api": "vault", "status": 404})
    local.call("GET", "/api/v2/credentials", headers=DEPLOY)
    assert local.call("POST", "/_sim/ui/controls/clock").status_code == 400

    lines = [line for line in local.sim("GET", "requests", all="true")["requests"] if line["path"] != "/_sim/faults"]
    hints = [line["hint"] for line in lines if line["path"] != "/_sim/reset"]

    assert (hints[0], hints[3], hints[4]) == (None, None, None)
    assert "Authorization: Api-Token" in hints[1]
    assert hints[2].startswith("No such route. Closest: /api/v2/credentials or")
    page = unescape(local.call("GET", "/_sim/ui/requests").text)
    assert all(hint in page for hint in hints[1:3])
