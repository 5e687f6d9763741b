"""Bringing a workflow to rest before it is deleted: no script may be alive when the entries it writes are removed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from .api.automation import Json, started_at
from .api.environment import Environment
from .host import say

LONGEST_SCRIPT = timedelta(seconds=130)
"""No script can be alive longer: the runtime ends it at 120 s."""
LOOK_EVERY_S = 2.0
TELL_EVERY_S = 20.0
OVER = ("SUCCESS", "ERROR")
"""States that prove the script's end. A cancelled script runs on until the platform ends it."""
SCHEDULE_FIELDS = ("trigger", "timezone", "rule", "filterParameters")


def stop_runs(environment: Environment, id: str) -> None:
    """Switch schedule and deployment off, then wait until no script can be alive, 130 s at most."""
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
    until, tell_at = time.monotonic() + LONGEST_SCRIPT.total_seconds(), 0.0
    while (alive := alive_executions(environment, id)) and (left := until - time.monotonic()) > 0:
        if time.monotonic() >= tell_at:
            say(f"the schedule is off; waiting for execution {alive[0]['id']} to end, {left:.0f} s at most")
            tell_at = time.monotonic() + TELL_EVERY_S
        time.sleep(LOOK_EVERY_S)


def alive_executions(environment: Environment, workflow: str) -> list[Json]:
    """Executions whose script may be alive: running ones, and those that ended without proof a short while ago."""
    found = environment.automation.newest_executions(workflow)
    return [e for e in found if e["state"] == "RUNNING" or (e["state"] not in OVER and is_young(e))]


def is_young(execution: Json) -> bool:
    started = started_at(execution)
    return started is None or datetime.now(UTC) - started < LONGEST_SCRIPT
