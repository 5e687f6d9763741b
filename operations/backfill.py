"""``backfill``: resend a time range in a run of its own. Checkpoint, lock and schedule are not touched."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import Any

from providers.workflow_run import indented
from workflow_src.render import TASK

from . import moments
from .reconcile.command import between
from .stack import Stack, StackError

MOST_IDS = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="begin", required=True, help="start: ISO time, or a span before now (2h, 1d)")
    parser.add_argument("--to", dest="end", default="", help="end: ISO time, or a span before now (default: now)")
    parser.add_argument("--ids", default="", help="resend only these records (IDs, separated by commas)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: sent; 1: the run failed or stopped early. Raises StackError, DynatraceError."""
    begin, end = between(options.begin, options.end, datetime.now(UTC))
    ids = [id.strip() for id in options.ids.split(",") if id.strip()]
    if len(ids) > MOST_IDS:
        raise StackError(f"--ids takes at most {MOST_IDS} IDs, not {len(ids)}; omit it to resend the whole range")
    automation, workflow = stack.environment.automation, stack.outputs["workflowId"]
    execution = automation.run(
        workflow, input={"backfill": request(begin, end, ids)}, unique_qualifier=f"backfill-{time.time_ns()}"
    )
    print(f"Execution {execution['id']} is resending {moments.iso(begin)} to {moments.iso(end)}")
    while True:
        ended = automation.await_end(execution)
        print(indented(automation.task_log(ended["id"], TASK)))
        result = automation.task(ended["id"], TASK).get("result")
        if ended["state"] != "SUCCESS" or not isinstance(result, dict):
            print(
                f"Execution {ended['id']} ended as {ended['state']}. Records sent before that are in Dynatrace. "
                "Fix the cause shown above, then run the command again."
            )
            return 1
        if not result.get("backfill"):
            raise StackError(
                f"execution {ended['id']} could not read its input and did a normal sync instead: grant the "
                "workflow's actor automation:workflows:read, then run the command again"
            )
        if following := result.get("nextExecution"):
            execution = automation.execution(str(following))
            continue
        window = f"FROM={moments.iso(begin)} TO={moments.iso(end)}"
        if result["outcome"] != "backfilled":
            rest = f"FROM={result.get('reached', moments.iso(begin))} TO={moments.iso(end)}"
            print(f"The run stopped before the end. To resend the rest: make backfill STACK={stack.name} {rest}")
            return 1
        print(f"Done. To verify completeness: make reconcile STACK={stack.name} {window}")
        return 0


def request(begin: datetime, end: datetime, ids: list[str]) -> dict[str, Any]:
    """The run's input, in the form that ``readChain`` of the sync script reads."""
    window: dict[str, Any] = {"from": moments.iso(begin), "to": moments.iso(end)}
    return {**window, "ids": ids} if ids else window
