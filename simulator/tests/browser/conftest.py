"""Environments to look at, without any deployment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import api_token
from local_dynatrace.testing.flows import author, create, every, settle, start

from ..test_problem_pages import alarm
from .chromium import chromium

__all__ = ["chromium"]

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
    local.call("GET", "/api/v2/credential")
    local.sim("POST", "faults", {"api": "vault", "status": 503})
    yield local
    local.close()
