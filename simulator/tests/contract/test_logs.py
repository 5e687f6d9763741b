"""Log ingest and the query that finds what it took."""

from __future__ import annotations

import uuid
from typing import Any

from .environment import Environment

JSON = {"Content-Type": "application/json; charset=utf-8"}


def send(environment: Environment, *records: dict[str, Any]) -> int:
    return environment.classic("POST", "/logs/ingest", json=list(records), headers=JSON).status_code


def found(environment: Environment, mark: str) -> list[dict[str, Any]]:
    query = f'fetch logs, from:-30m | filter contract.mark == "{mark}" | limit 10'
    body = {"query": query, "requestTimeoutMilliseconds": 20_000}
    answer = environment.platform("POST", "/storage/query/v1/query:execute", json=body)
    assert answer.status_code in (200, 202), answer.text
    records: list[dict[str, Any]] = answer.json().get("result", {}).get("records", [])
    return records


def test_a_record_is_taken_and_found_with_its_severity(environment: Environment) -> None:
    mark = str(uuid.uuid4())
    record = {
        "content": "contract test", "loglevel": "WARN", "log.level": "WARN", "log.source": "sectigo-contract",
        "contract.mark": mark, "scm.status": "SUCCESS", "event.action": "issue",
    }  # fmt: skip

    assert send(environment, record) == 204

    assert environment.until(lambda: bool(found(environment, mark)), 90)
    (read,) = found(environment, mark)
    assert {name: read.get(name) for name in record} == record
    assert read["status"] == "WARN"


def test_a_status_of_success_reads_as_severe(environment: Environment) -> None:
    mark = str(uuid.uuid4())

    assert send(environment, {"content": "contract test", "status": "SUCCESS", "contract.mark": mark}) == 204

    assert environment.until(lambda: bool(found(environment, mark)), 90)
    (read,) = found(environment, mark)
    assert (read["loglevel"], read["status"]) == ("SEVERE", "ERROR")


def test_an_old_record_does_not_hold_up_the_others(environment: Environment) -> None:
    """Which answer it is (200, 204 or 400) is an option of the local environment until a tenant has told."""
    mark = str(uuid.uuid4())
    now = {"content": "contract test", "contract.mark": mark}

    status = send(environment, now, {**now, "timestamp": "2001-01-01T00:00:00Z"})

    assert status in (200, 204, 400)
    if status != 400:
        assert environment.until(lambda: bool(found(environment, mark)), 90)
        assert len(found(environment, mark)) == 1


def test_what_is_no_json_is_a_400(environment: Environment) -> None:
    answer = environment.classic("POST", "/logs/ingest", data=b"{", headers=JSON)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400
