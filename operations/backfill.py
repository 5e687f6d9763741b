"""``backfill``: one run that sends a window again, on request; neither checkpoint nor schedule is touched."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import Any

from providers.api.automation import FINAL_STATES, Automation
from workflow_src.render import TASK

from . import moments
from .reconcile.command import between
from .stack import Stack, StackError

LOOK_EVERY_S = 1.0
LONGEST_WAIT_S = 180.0
"""Of one leg; the platform ends a script at 120 s."""
MOST_IDS = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="begin", required=True, help="ISO time or a span before now")
    parser.add_argument("--to", dest="end", default="", help="ISO time or a span before now (default: now)")
    parser.add_argument("--ids", default="", help="send these records only (ids with commas between them)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: sent; 1: the run failed. Raises StackError, DynatraceError."""
    begin, end = between(options.begin, options.end, datetime.now(UTC))
    ids = [id.strip() for id in options.ids.split(",") if id.strip()]
    if len(ids) > MOST_IDS:
        raise StackError(f"{len(ids)} ids are more than the {MOST_IDS} that one run takes; leave --ids out")
    automation, workflow = stack.environment.automation, stack.outputs["workflowId"]
    execution = automation.run(
        workflow, input={"backfill": request(begin, end, ids)}, unique_qualifier=f"backfill-{time.time_ns()}"
    )
    print(f"Execution {execution['id']} sends {moments.iso(begin)} to {moments.iso(end)} again")
    while True:
        ended = await_end(automation, execution)
        print(indented(automation.task_log(ended["id"], TASK)))
        result = automation.task(ended["id"], TASK).get("result")
        if ended["state"] != "SUCCESS" or not isinstance(result, dict):
            print(
                f"It ended as {ended['state']}. What was accepted stays; run the command again after the cause is gone"
            )
            return 1
        if not result.get("backfill"):
            raise StackError(
                "the run did not see its input and did what every run does: the workflow's actor needs "
                "automation:workflows:read"
            )
        if following := result.get("nextExecution"):
            execution = automation.execution(str(following))
            continue
        window = f"FROM={moments.iso(begin)} TO={moments.iso(end)}"
        if result["outcome"] != "backfilled":
            rest = f"FROM={result.get('reached', moments.iso(begin))} TO={moments.iso(end)}"
            print(f"It stopped before the end. The rest: make backfill STACK={stack.name} {rest}")
            return 1
        print(f"Done. To see that nothing is missing: make reconcile STACK={stack.name} {window}")
        return 0


def request(begin: datetime, end: datetime, ids: list[str]) -> dict[str, Any]:
    """The run's input, as ``readChain`` of workflow_src/sync.js takes it."""
    window: dict[str, Any] = {"from": moments.iso(begin), "to": moments.iso(end)}
    return {**window, "ids": ids} if ids else window


def await_end(automation: Automation, execution: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + LONGEST_WAIT_S
    while execution["state"] not in FINAL_STATES:
        if time.monotonic() >= until:
            raise StackError(f"execution {execution['id']} is still {execution['state']} after {LONGEST_WAIT_S:.0f} s")
        time.sleep(LOOK_EVERY_S)
        execution = automation.execution(execution["id"])
    return execution


def indented(log: str) -> str:
    return "\n".join(f"  | {line}" for line in log.strip().splitlines())
