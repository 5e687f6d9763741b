"""Queries of tiles and detectors against a local environment: what is sent, and what comes back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import api_token, bearer
from workflow_src.watch.dashboard import content, rendered

WORKFLOW = "11111111-2222-4333-8444-555555555555"
ANOTHER = "99999999-2222-4333-8444-555555555555"
DASHBOARD = rendered(content(), WORKFLOW)
TILES = {tile["title"]: tile for tile in DASHBOARD["tiles"].values() if tile["type"] == "data"}
"""The tiles that query, by title."""

Row = dict[str, Any]


def now(local: Local) -> datetime:
    return datetime.fromisoformat(local.sim("GET", "clock")["now"])


def send(local: Local, *records: Row, ago: timedelta = timedelta(minutes=5)) -> None:
    """Ingest log records, as the script does; their time is ``ago`` unless they have one."""
    at = (now(local) - ago).astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = [{"timestamp": at, **record} for record in records]
    answer = local.call("POST", "/api/v2/logs/ingest", headers=api_token(local, "logs.ingest"), json=body)
    assert answer.status_code == 204, answer.text


def audit(action: str = "view", **more: Any) -> Row:
    """An audit record as the script sends it."""
    record = {
        "content": f"[scm] {action}: details",
        "log.source": "sectigo-scm",
        "loglevel": "INFO",
        "event.action": action,
        "event.service": "scm",
        "customer.id": "31846",
        "audit.result": "Succeeded",
    }
    return {**record, **more}


def failed(action: str = "login_failure", **more: Any) -> Row:
    return audit(action, **{"loglevel": "ERROR", "audit.result": "Failed", **more})


def report(outcome: str = "caught up", workflow: str = WORKFLOW, **more: Any) -> Row:
    """A run's report about itself; ``more``: fields without their prefix."""
    record = {
        "content": f"Run {outcome}",
        "log.source": "sectigo-scm-connector",
        "loglevel": "ERROR" if outcome == "failed" else "INFO",
        "connector.workflow": workflow,
        "connector.outcome": outcome,
        "connector.leg": "1",
        "connector.fetched": "3",
        "connector.sent": "3",
        "connector.repeated": "0",
        "connector.clamped": "0",
        "connector.setAside": "0",
        "connector.lagSeconds": "60",
    }
    return {**record, **{f"connector.{key}": value for key, value in more.items()}}


def query(local: Local, dql: str, **timeframe: str) -> list[Row]:
    headers = bearer(local, "storage:logs:read", "storage:buckets:read")
    body = {"query": dql, "requestTimeoutMilliseconds": 20_000, **timeframe}
    answer = local.call("POST", "/platform/storage/query/v1/query:execute", headers=headers, json=body)
    assert answer.status_code == 200, f"{answer.text}\n{dql}"
    found: list[Row] = answer.json()["result"]["records"]
    return found


def choices(local: Local, key: str) -> list[str]:
    """Every value that a variable offers."""
    variable = next(each for each in DASHBOARD["variables"] if each["key"] == key)
    if variable["type"] == "csv":
        return [value.strip() for value in variable["input"].split(",")]
    rows = query(local, variable["input"])
    assert rows and all(len(row) == 1 for row in rows), "a query variable needs one field and at least one row"
    return [str(next(iter(row.values()))) for row in rows]


def literal(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def tile(local: Local, title: str, **chosen: str) -> list[Row]:
    """A tile's records, with every value of every variable unless one is chosen."""

    def value(found: re.Match[str]) -> str:
        key = found[1]
        if key == "actor":
            return literal(chosen.get(key, ""))
        return ", ".join(literal(one) for one in ([chosen[key]] if key in chosen else choices(local, key)))

    return query(local, re.sub(r"\$(\w+)", value, TILES[title]["query"]))


def totals(rows: list[Row]) -> dict[str, float]:
    """Sums of the series in a result, by name; with one dimension, by its value."""
    found: dict[str, float] = {}
    for row in rows:
        label = next((str(value) for key, value in row.items() if isinstance(value, str) and key not in FRAME), "")
        for key, value in row.items():
            if isinstance(value, list):
                found[label or key] = sum(float(one) for one in value if one is not None)  # a long is text
    return found


FRAME = ("timeframe", "interval")
