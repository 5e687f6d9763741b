"""``backfill``: resend a time range in a run of its own. Checkpoint, lock and schedule are not touched."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from providers.api.errors import DynatraceError
from providers.workflow_run import indented
from workflow_src.render import TASK

from . import executions, moments
from .bar import Bar
from .reconcile.command import between
from .reconcile.walk import Sides, windows
from .scm import Scm
from .stack import Stack, StackError

MOST_IDS = 1000
KEY = "event.id"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="begin", required=True, help="start: ISO time, or a span before now (2h, 1d)")
    parser.add_argument("--to", dest="end", default="", help="end: ISO time, or a span before now (default: now)")
    parser.add_argument("--ids", default="", help="resend only these records (IDs, separated by commas)")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: sent, or nothing to send, or the answer was no; 1: the run failed or stopped early.

    Raises StackError, DynatraceError.
    """
    if not options.begin.strip():
        raise StackError(f"FROM is missing: make backfill STACK={stack.name} FROM=2026-01-29T04:00:00Z TO=…")
    begin, end = between(options.begin, options.end, stack.environment.now())
    ids = [id.strip() for id in options.ids.split(",") if id.strip()]
    if len(ids) > MOST_IDS:
        raise StackError(f"--ids takes at most {MOST_IDS} IDs, not {len(ids)}; omit it to resend the whole range")
    stack.outputs  # noqa: B018  raises if the stack is not deployed
    what = f"{moments.iso(begin)} to {moments.iso(end)} of stack {stack.name}"
    found = survey(stack, begin, end, ids)
    print(f"{what}: {found}")
    if isinstance(found, Survey) and not found.records:
        return 0
    if not options.yes and not confirmed():
        print("Nothing was sent.")
        return 0
    return resend(stack, begin, end, ids)


@dataclass(frozen=True)
class Survey:
    """What a backfill would send: records in SCM, and how many of them Dynatrace already has."""

    records: int
    present: int

    def __str__(self) -> str:
        if not self.records:
            return "SCM has no such records, so there is nothing to resend."
        sent = f"{moments.count(self.records, 'record')} would be sent"
        if not self.present:
            return f"{sent}; none of them is in Dynatrace yet."
        return f"{sent}; {self.present} of them are already in Dynatrace and would be there twice (same {KEY})."


def survey(stack: Stack, begin: datetime, end: datetime, ids: list[str]) -> Survey | str:
    """Count first what would be sent; a text if SCM or Grail cannot be read from this machine."""
    chosen, bar = set(ids), Bar("counting")
    records, present = 0, 0
    try:
        for window in windows(Sides(Scm.of(stack.config), stack.environment, end), begin, end, only=chosen or None):
            records, present = records + window.scm, present + window.equal
            bar.show((window.end - begin) / (end - begin), f"{records} records")
    except DynatraceError as error:
        return f"the records could not be counted ({error}). The workflow may still be able to send them."
    finally:
        bar.close()
    return Survey(records, present)


def confirmed() -> bool:
    """Ask on the terminal. Raises StackError where nobody can answer."""
    if not sys.stdin.isatty():
        raise StackError("nothing was sent: there is no terminal to ask on; add YES=1 (--yes) to send without asking")
    return input("Resend them? [y/N] ").strip().lower() in ("y", "yes")


def resend(stack: Stack, begin: datetime, end: datetime, ids: list[str]) -> int:
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
            reason = stack.environment.redact(executions.why_failed(automation, ended))
            print(
                f"Execution {ended['id']} ended as {ended['state']}: {reason}\n"
                "Records sent before that are in Dynatrace. Fix the cause, then run the command again."
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
