"""A deployed connector with a history worth looking at: hours of good runs, and four incidents it got over."""

from __future__ import annotations

from pathlib import Path

from local_dynatrace.testing import Local
from tests.engine.deployment import Deployment

INTERVAL_S = 120
"""The dev stack's schedule."""
WATCHED = {"dashboard": "true", "alerts": "true", "alertEmails": "pki-team@nordhav.example"}
"""What the dev stack has, and most tests do without."""


def deployed(folder: Path) -> Local:
    """A local environment with the dev stack in it, which has run a few times. The clock stands, in mode ``auto``."""
    local = Local(folder, scm_stream=True, scheduler=True)
    try:
        deployment = Deployment(folder / "stack", local, stack="dev")
        deployment.configure(initHistoryDuration="22h", showRunLog="false", **WATCHED)
        deployment.up()
        runs(local, 3)
    except BaseException:
        local.close()
        raise
    return local


def told(folder: Path) -> Local:
    """The same after the whole story; the connector is healthy again."""
    local = deployed(folder)
    try:
        runs(local, 9)
        incident(local, "script-killed", 1, burst=5)
        runs(local, 5)
        incident(local, "ingest-unavailable", 2)
        runs(local, 4)
        incident(local, "schedule-lost", 6)
        runs(local, 4)
        incident(local, "scm-secret-replaced", 3)
        runs(local, 5)
        catch_up_in_legs(local)
        runs(local, 6)
        typing_errors(local)
    except BaseException:
        local.close()
        raise
    return local


def runs(local: Local, number: int) -> None:
    for _ in range(number):
        step(local)


def step(local: Local) -> None:
    """To the next schedule, and on until nothing runs."""
    local.sim("POST", "clock", {"step": INTERVAL_S})
    assert local.sim("GET", "idle", timeout_s=40)["idle"]


def incident(local: Local, preset: str, intervals: int, burst: int = 0) -> None:
    burst_of_records(local, burst)
    local.sim("POST", f"presets/{preset}")
    runs(local, intervals)
    local.sim("DELETE", f"presets/{preset}")


def catch_up_in_legs(local: Local) -> None:
    """SCM is so slow that one run does not do: the platform would kill it."""
    burst_of_records(local, 40)
    local.sim("PATCH", "options", {"scm_page_size": 5})
    local.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "delay_s": 15, "times": 14})
    step(local)
    local.sim("DELETE", "faults")
    local.sim("PATCH", "options", {"scm_page_size": 100})


def burst_of_records(local: Local, number: int) -> None:
    now = local.sim("GET", "clock")["now"]
    record = {"timestamp": now, "type": "LOG", "service": "ssl", "action": "issue", "details": "Issued in bulk"}
    named = [{**record, "id": f"burst-{now}-{each}"} for each in range(number)]
    local.sim("POST", "scm/records", {"records": named})


def typing_errors(local: Local) -> None:
    for path in ("/api/v2/credential", "/api/v2/credentials", "/platform/automation/v1/workflow", "/api/v2/logs/x"):
        local.call("GET", path)
    local.call("DELETE", "/api/v2/settings/objects")
