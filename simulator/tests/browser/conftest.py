"""Environments to look at, without any deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import api_token, bearer
from local_dynatrace.testing.flows import author, create, every, settle, start

from ..test_problem_pages import alarm
from .chromium import chromium

__all__ = ["chromium"]

LEVELS = "fetch logs | summarize n = count(), by: {loglevel}"
SERIES = "fetch logs | makeTimeseries n = count(default: 0), by: {loglevel}"
TILES = {
    "lineChart": SERIES, "areaChart": SERIES, "barChart": SERIES, "categoricalBarChart": LEVELS, "table": "fetch logs",
    "singleValue": "fetch logs | summarize n = count()", "honeycomb": LEVELS, "gauge": "fetch lgos",
}  # fmt: skip


def every_tile() -> dict[str, Any]:
    """A dashboard with each kind of tile and each kind of variable."""
    tiles: list[dict[str, Any]] = [{"type": "markdown", "content": "# A heading\nAnd *text*, [a link](/), `code`."}]
    tiles += [{"type": "data", "title": f"As {name}", "query": q, "visualization": name} for name, q in TILES.items()]
    tiles.append({"type": "code", "input": "x"})
    places = [{"x": n % 3 * 8, "y": n // 3 * 6, "w": 8, "h": 6} for n in range(len(tiles))]
    variables = [
        {"key": "level", "type": "query", "multiple": True, "input": "fetch logs | dedup loglevel | fields loglevel"},
        {"key": "one", "type": "csv", "input": "a, b"}, {"key": "word", "type": "text"},
    ]  # fmt: skip
    return {
        "version": 21, "variables": variables, "tiles": {str(n): tile for n, tile in enumerate(tiles)},
        "layouts": {str(n): place for n, place in enumerate(places)},
    }  # fmt: skip


SCRIPT = """export default ({ loop }) => { console.log("=== A run ===\\n✓ done"); return { fetched: 3, sent: 3 }; }"""
BROKEN = "export default () => { throw new Error('The source did not answer.'); }"


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """An environment in which nothing has happened."""
    local = Local(tmp_path_factory.mktemp("fresh"))
    yield local
    local.close()


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """Workflows that have run and failed, a problem and its mails, log records, refused requests, a fault rule."""
    local = Local(tmp_path_factory.mktemp("used"), scheduler=True)
    alarm(local)
    local.sim("PATCH", "options", {"scheduler": False})
    who = author(local)
    for script in (SCRIPT, BROKEN):
        workflow = create(local, who, script, title="A nightly import", trigger=every(10))["id"]
        for _ in range(3):
            start(local, who, workflow)
            settle(local)
    records = [{"content": f"Record {n}", "loglevel": level} for n, level in enumerate(("INFO", "WARN", "ERROR") * 5)]
    ingest = api_token(local, "logs.ingest")
    assert local.call("POST", "/api/v2/logs/ingest", json=records, headers=ingest).status_code == 204
    files = [("id", (None, "board")), ("name", (None, "Every kind of tile")), ("type", (None, "dashboard")),
             ("content", ("content.json", json.dumps(every_tile()), "application/json"))]  # fmt: skip
    answer = local.call(
        "POST", "/platform/document/v1/documents", files=files, headers=bearer(local, "document:documents:write")
    )
    assert answer.status_code == 201
    local.call("GET", "/api/v2/credential")
    local.sim("POST", "faults", {"api": "vault", "status": 503})
    yield local
    local.close()
