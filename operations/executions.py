"""Which executions prove that the connector works: a run that was skipped or sent a window again proves nothing."""

from __future__ import annotations

from collections.abc import Iterable

from providers.api.automation import Automation, Json
from workflow_src.render import TASK


def is_backfill(execution: Json) -> bool:
    """One that runs beside the schedule and takes no lock."""
    return bool((execution.get("input") or {}).get("backfill"))


def outcome(automation: Automation, execution: Json) -> str:
    """What the script says it did; empty where it says nothing."""
    result = automation.task(execution["id"], TASK).get("result")
    return str(result.get("outcome", "")) if isinstance(result, dict) else ""


def last_good(automation: Automation, executions: Iterable[Json]) -> Json | None:
    """The first of them that took the lock, read and sent. Costs a request for each run that ended well."""
    for one in executions:
        if one["state"] == "SUCCESS" and not is_backfill(one) and outcome(automation, one) != "skipped":
            return one
    return None
