"""Stopping a workflow before it is deleted: no script may be running when the entries it writes are removed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from .api.automation import Json, started_at
from .api.environment import Environment
from .host import say

LONGEST_SCRIPT = timedelta(seconds=130)
"""No script can run longer: the runtime kills it at 120 s."""
CHECK_EVERY_S = 2.0
SAY_EVERY_S = 20.0
OVER = ("SUCCESS", "ERROR")
"""States that prove that the script has ended. A cancelled script keeps running until the platform kills it."""
SCHEDULE_FIELDS = ("trigger", "timezone", "rule", "filterParameters")


def stop_runs(environment: Environment, id: str) -> None:
    """Switch schedule and deployment off, then wait until no script can be running, 130 s at most."""
    automation = environment.automation
    live = automation.workflow(id)
    if live is None:
        return
    schedule = (live.get("trigger") or {}).get("schedule")
    if live.get("isDeployed") or (schedule or {}).get("isActive"):
        body: Json = {"isDeployed": False}
        if schedule:
            body["trigger"] = {"schedule": {**{key: schedule.get(key) for key in SCHEDULE_FIELDS}, "isActive": False}}
        automation.update_workflow(id, body)
    until, say_at = time.monotonic() + LONGEST_SCRIPT.total_seconds(), 0.0
    while (running := possibly_running(environment, id)) and (left := until - time.monotonic()) > 0:
        if time.monotonic() >= say_at:
            say(f"the schedule is off; waiting for execution {running[0]['id']} to end, {left:.0f} s at most")
            say_at = time.monotonic() + SAY_EVERY_S
        environment.sleep(CHECK_EVERY_S)


def possibly_running(environment: Environment, workflow: str) -> list[Json]:
    """Executions whose script may be running: also those that ended without proof a short while ago."""
    found = environment.automation.newest_executions(workflow)
    return [e for e in found if e["state"] == "RUNNING" or (e["state"] not in OVER and is_recent(e))]


def is_recent(execution: Json) -> bool:
    started = started_at(execution)
    return started is None or datetime.now(UTC) - started < LONGEST_SCRIPT
