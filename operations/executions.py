"""Which executions prove that the connector works: skipped runs and backfills do not."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from providers.api.automation import Automation, Json, sentence
from providers.api.errors import DynatraceError
from workflow_src.render import TASK


def is_backfill(execution: Json) -> bool:
    """A run outside the schedule, which takes no lock."""
    return bool((execution.get("input") or {}).get("backfill"))


def outcome(automation: Automation, execution: Json) -> str:
    """The outcome that the script reported; empty if it reported none."""
    result = automation.task(execution["id"], TASK).get("result")
    return str(result.get("outcome", "")) if isinstance(result, dict) else ""


def last_good(automation: Automation, executions: Iterable[Json]) -> Json | None:
    """The first one that took the lock, read and sent. Needs one request for each successful execution."""
    for one in executions:
        if one["state"] == "SUCCESS" and not is_backfill(one) and outcome(automation, one) != "skipped":
            return one
    return None


def why_failed(automation: Automation, execution: Json) -> str:
    """What went wrong in a failed execution, as a sentence for people; the task's own text first."""
    task: Json = {}
    with suppress(DynatraceError):
        task = automation.task(execution["id"], TASK)
    return sentence(task.get("stateInfo")) or sentence(execution.get("stateInfo")) or "no reason given"
