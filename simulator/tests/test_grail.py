"""Grail's query API over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from local_dynatrace.grail import dql, queries
from local_dynatrace.grail.queries import PATIENCE_MS
from local_dynatrace.kernel.options import Options
from local_dynatrace.kernel.store import Store
from local_dynatrace.kernel.world import World
from local_dynatrace.logs import table
from local_dynatrace.testing import Local

from . import ROOT

BASE = "/platform/storage/query/v1"
SEED = yaml.safe_load((ROOT / "simulator" / "local_dynatrace" / "seed.yaml").read_text(encoding="utf-8"))
CLIENT = SEED["oauth_clients"][0]
NOON = "2026-01-29T12:00:00Z"
MANUAL = 'fetch logs\n| filter log.source == "sectigo-scm"\n| sort timestamp desc\n| limit 100'


def bearer(local: Local, *scopes: str) -> str:
    answer = local.call(
        "POST", "/sso/oauth2/token",
        data={
            "grant_type": "client_credentials", "client_id": CLIENT["id"], "client_secret": CLIENT["secret"],
            "scope": " ".join(scopes), "resource": SEED["account"],
        },
    )  # fmt: skip
    assert answer.ok, answer.text
    return f"Bearer {answer.json()['access_token']}"


Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(local: Local) -> Ask:
    """Send a request to the query API with both scopes; three records are there, the newest first by a second."""
    local.sim("POST", "clock", {"mode": "frozen", "jump": NOON})
    token = next(t["token"] for t in SEED["api_tokens"] if "logs.ingest" in t["scopes"])
    records = [
        {
            "timestamp": f"2026-01-29T11:59:0{n}Z", "content": f"[scm] revoke: {n}", "loglevel": "WARN",
            "log.source": "sectigo-scm", "event.id": f"id-{n}",
        }
        for n in range(3)
    ]  # fmt: skip
    sent = local.call("POST", "/api/v2/logs/ingest", json=records, headers={"Authorization": f"Api-Token {token}"})
    assert sent.status_code == 204
    authorization = bearer(local, "storage:logs:read", "storage:buckets:read")

    def send(method: str, path: str, body: Any = None, **query: str) -> requests.Response:
        headers = {"Authorization": authorization}
        return local.call(method, f"{BASE}/{path}", json=body, params=query, headers=headers)

    return send


def execute(ask: Ask, query: str, **more: Any) -> requests.Response:
    return ask("POST", "query:execute", {"query": query, **more})


def test_the_query_of_the_manual_shows_what_was_ingested(ask: Ask) -> None:
    answer = execute(ask, MANUAL)
    body = answer.json()

    assert answer.status_code == 200
    assert body["state"] == "SUCCEEDED"
    assert [record["event.id"] for record in body["result"]["records"]] == ["id-2", "id-1", "id-0"]
    assert body["result"]["records"][0]["timestamp"] == "2026-01-29T11:59:02.000000000Z"
    assert body["result"]["records"][0]["status"] == "WARN"


def test_types_and_metadata_come_with_the_records(ask: Ask) -> None:
    result = execute(ask, "fetch logs | summarize n = count(), newest = takeMax(timestamp)").json()["result"]
    grail = result["metadata"]["grail"]

    assert result["records"] == [{"n": "3", "newest": "2026-01-29T11:59:02.000000000Z"}]
    assert result["types"] == [
        {"indexRange": [0, 0], "mappings": {"n": {"type": "long"}, "newest": {"type": "timestamp"}}}
    ]
    assert grail["scannedRecords"] == 3
    assert grail["notifications"] == []
    assert grail["analysisTimeframe"] == {
        "start": "2026-01-29T10:00:00.000000000Z",
        "end": "2026-01-29T12:00:00.000000000Z",
    }


def test_the_timeframe_and_the_number_of_records_can_be_given(ask: Ask) -> None:
    narrow = execute(
        ask, "fetch logs", defaultTimeframeStart="2026-01-29T11:59:01Z", defaultTimeframeEnd="2026-01-29T11:59:02Z"
    ).json()["result"]
    cut = execute(ask, "fetch logs", maxResultRecords=2).json()["result"]

    assert [record["event.id"] for record in narrow["records"]] == ["id-1"]
    assert len(cut["records"]) == 2
    assert "limited to 2" in cut["metadata"]["grail"]["notifications"][0]["message"]


def test_who_does_not_wait_gets_a_token_and_polls(ask: Ask) -> None:
    started = execute(ask, MANUAL, requestTimeoutMilliseconds=0)
    token = started.json()["requestToken"]
    polls = [ask("GET", "query:poll", **{"request-token": token}).json() for _ in range(2)]

    assert started.status_code == 202
    assert started.json()["state"] == "RUNNING"
    assert [poll["state"] for poll in polls] == ["SUCCEEDED", "SUCCEEDED"]
    assert len(polls[0]["result"]["records"]) == 3
    assert polls[0] == polls[1]


def test_a_cancelled_query_has_no_result_and_a_finished_one_keeps_it(ask: Ask) -> None:
    running = execute(ask, MANUAL, requestTimeoutMilliseconds=0).json()["requestToken"]
    stopped = ask("POST", "query:cancel", **{"request-token": running})
    after = ask("GET", "query:poll", **{"request-token": running}).json()
    finished = execute(ask, MANUAL, requestTimeoutMilliseconds=0).json()["requestToken"]
    ask("GET", "query:poll", **{"request-token": finished})
    too_late = ask("POST", "query:cancel", **{"request-token": finished})

    assert (stopped.status_code, after["state"]) == (202, "CANCELLED")
    assert "result" not in after
    assert (too_late.status_code, too_late.json()["state"]) == (200, "SUCCEEDED")


def test_a_result_is_gone_after_its_time(ask: Ask, local: Local) -> None:
    started = execute(ask, MANUAL, requestTimeoutMilliseconds=0).json()
    local.sim("POST", "clock", {"step": started["ttlSeconds"]})
    authorization = bearer(local, "storage:logs:read", "storage:buckets:read")
    path = f"{BASE}/query:poll?request-token={started['requestToken']}"
    answer = local.call("GET", path, headers={"Authorization": authorization})

    assert answer.status_code == 410
    assert answer.json()["error"]["details"]["errorType"] == "RESULT_GONE"


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (["storage:logs:read"], ["storage:buckets:read"]),
        (["storage:buckets:read"], ["storage:logs:read"]),
        (["automation:workflows:read"], ["storage:logs:read", "storage:buckets:read"]),
    ],
)
def test_both_scopes_are_needed(local: Local, scopes: list[str], missing: list[str]) -> None:
    headers = {"Authorization": bearer(local, *scopes)}
    answer = local.call("POST", f"{BASE}/query:execute", json={"query": MANUAL}, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["error"]["details"] == {"missingScopes": missing}


def test_an_api_token_is_the_wrong_scheme(local: Local) -> None:
    headers = {"Authorization": f"Api-Token {SEED['api_tokens'][0]['token']}"}
    answer = local.call("POST", f"{BASE}/query:execute", json={"query": MANUAL}, headers=headers)

    assert answer.status_code == 401


def test_a_wrong_query_is_refused_with_its_place(ask: Ask) -> None:
    query = "fetch logs\n| fliter a"
    answer = execute(ask, query)
    details = answer.json()["error"]["details"]

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == details["errorType"] == "UNKNOWN_COMMAND"
    assert "Did you mean filter" in details["errorMessage"]
    assert details["queryString"] == query
    assert details["syntaxErrorPosition"] == {
        "start": {"column": 3, "index": 13, "line": 2},
        "end": {"column": 8, "index": 18, "line": 2},
    }


def test_a_wrong_query_is_refused_at_once_even_if_nobody_waits(ask: Ask) -> None:
    assert execute(ask, "fetch nothing", requestTimeoutMilliseconds=0).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"query": 5},
        {"query": " "},
        {"query": MANUAL, "maxResultRecords": 0},
        {"query": MANUAL, "requestTimeoutMilliseconds": "5"},
        {"query": MANUAL, "defaultTimeframeStart": "yesterday"},
    ],
)
def test_a_wrong_request_is_refused(ask: Ask, body: Any) -> None:
    assert ask("POST", "query:execute", body).status_code == 400


def test_a_poll_needs_a_known_token(ask: Ask) -> None:
    assert ask("GET", "query:poll").status_code == 400
    assert ask("GET", "query:poll", **{"request-token": "made-up"}).status_code == 410
    assert ask("POST", "query:cancel", **{"request-token": "made-up"}).status_code == 410


def test_verifying_says_what_is_wrong_without_an_error(ask: Ask) -> None:
    right = ask("POST", "query:verify", {"query": MANUAL}).json()
    wrong = ask("POST", "query:verify", {"query": "fetch logs | join x"})

    assert right == {"valid": True, "canonicalQuery": MANUAL, "notifications": []}
    assert (wrong.status_code, wrong.json()["valid"]) == (200, False)
    assert wrong.json()["notifications"][0]["syntaxPosition"]["start"]["column"] == 14


def test_records_that_are_not_visible_yet_are_not_found(ask: Ask, local: Local) -> None:
    local.sim("PATCH", "options", {"logs_visible_after_s": 10})
    token = SEED["api_tokens"][1]["token"]
    headers = {"Authorization": f"Api-Token {token}"}
    local.call("POST", "/api/v2/logs/ingest", json={"content": "new", "log.source": "late"}, headers=headers)
    query = 'fetch logs | filter log.source == "late"'
    before = execute(ask, query).json()["result"]["records"]
    local.sim("POST", "clock", {"step": 10})

    assert before == []
    assert [r["content"] for r in execute(ask, query).json()["result"]["records"]] == ["new"]


# a slow query


SLOW = (
    "fetch logs | fieldsAdd " + ", ".join(f"f{n} = lower(upper(content))" for n in range(100)) + " | summarize count()"
)
"""Seconds of work over ``many_logs``, after any number of which it can be stopped."""


@pytest.fixture
def many_logs(local: Local) -> None:
    token = next(t["token"] for t in SEED["api_tokens"] if "logs.ingest" in t["scopes"])
    headers = {"Authorization": f"Api-Token {token}"}
    records = [{"content": "Some Words " * 2000, "log.source": "many"} for _ in range(250)]
    for _ in range(8):
        assert local.call("POST", "/api/v2/logs/ingest", json=records, headers=headers).status_code == 204


@pytest.mark.slow
@pytest.mark.usefixtures("many_logs")
def test_a_slow_query_holds_up_nobody(ask: Ask, local: Local) -> None:
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(execute, ask, SLOW, requestTimeoutMilliseconds=100)
        token = slow.result().json()["requestToken"]
        waiting = pool.submit(ask, "GET", "query:poll", **{"request-token": token})
        fast = execute(ask, MANUAL)
        page = local.call("GET", "/ui/apps/dynatrace.logs")
        poll = ask("GET", "query:poll", **{"request-token": token, "request-timeout-milliseconds": "0"}).json()
        stopped = ask("POST", "query:cancel", **{"request-token": token})

    assert (slow.result().status_code, fast.status_code, page.status_code) == (202, 200, 200)
    assert poll["state"] == "RUNNING"
    assert (stopped.status_code, stopped.json()["state"]) == (202, "CANCELLED")
    assert waiting.result().json()["state"] == "CANCELLED"


@pytest.mark.usefixtures("many_logs")
def test_a_query_that_takes_longer_than_its_caller_waits_can_be_polled(ask: Ask) -> None:
    query = SLOW.replace("fetch logs", "fetch logs | limit 100")
    token = execute(ask, query, requestTimeoutMilliseconds=PATIENCE_MS + 1).json()["requestToken"]
    polls = [ask("GET", "query:poll", **{"request-token": token}).json() for _ in range(2)]

    assert [poll["state"] for poll in polls] == ["SUCCEEDED", "SUCCEEDED"]
    assert polls[0]["result"]["records"] == [{"count()": "100"}]
    assert polls[0] == polls[1]


@pytest.mark.slow
def test_a_cancelled_query_stops_working(tmp_path: Path) -> None:
    store = Store(tmp_path / "world.sqlite")
    world = World(Options(), store)
    store.create(table.SCHEMA)
    row = table.LogRow(1, 1, 1, "many", "INFO", "INFO", "Some Words " * 2000, "{}")
    with store.transaction():
        table.insert(world, [row] * 5000)
    prepared = dql.prepare(SLOW, 2)
    logs = prepared.pipeline.logs
    assert logs is not None

    async def cancelled_soon() -> None:
        task = asyncio.create_task(queries.answer(store, prepared, 1))
        while logs.scanned_records == 0:  # noqa: ASYNC110 (the thread has no event to wait for)
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled_soon())  # ends when the thread has ended

    assert 0 < logs.scanned_records < 5000
    store.close()
