"""``reconcile``: verify that every SCM record is in Dynatrace."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from pathlib import Path

from providers import rules
from providers.api.errors import DynatraceError

from .. import executions, ledger, moments
from ..bar import Bar
from ..scm import Scm
from ..stack import Stack, StackError
from .coverage import Coverage, by_clock
from .report import Report
from .walk import Sides, windows

HISTORY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
LATEST = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="begin", default="", help="start: ISO time, or a span before now (default: 24h)")
    parser.add_argument("--to", dest="end", default="", help="end: ISO time, or a span before now (default: now)")
    parser.add_argument("--json", type=Path, help="also write the report to this file, as JSON")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: complete; 1: records are missing; 2: not compared to the end. Raises StackError, DynatraceError."""
    now = stack.environment.now()
    begin, end = between(options.begin, options.end, now)
    interval = MINUTE * stack.config["triggerIntervalMinutes"]
    environment, workflow = stack.environment, stack.outputs["workflowId"]
    last_good = executions.last_good(
        environment.automation, environment.automation.newest_executions(workflow)[:LATEST]
    )
    pending = ledger.missing_yet(environment, workflow, last_good, now)
    # A run ends after the window that it read, so the relevant runs ended after the begin.
    coverage = Coverage.of(ledger.runs(environment, workflow, begin), by_clock(now, interval))
    if not ledger.reported_before(environment, workflow, begin):
        coverage.began = began(stack, coverage)
        if not options.begin and coverage.began:
            begin = min(end - MINUTE, max(begin, moments.floor(coverage.began)))
    report = Report(stack.name, stack.config["scmApiUrl"], begin, end, coverage, note=ledger.not_yet(pending))
    bar = Bar("reconcile")
    try:
        sides = Sides(Scm.of(stack.config), environment, coverage.due_before, is_early=coverage.is_before_begin)
        for window in windows(sides, begin, end):
            report.windows.append(window)
            note = f"{report.total('scm')} records, {report.missing} missing, up to {moments.short(window.end)}"
            bar.show((window.end - begin) / (end - begin), note)
    except DynatraceError as error:
        # Report what was compared so far, also so that no report of an earlier day remains in the file.
        report.stopped = str(error)
    finally:
        bar.close()
    print(report.text(json=str(options.json or "")))
    if options.json:
        report.write(options.json)
        print(f"JSON: {options.json}")
    return 2 if report.stopped else 0 if report.complete else 1


def began(stack: Stack, coverage: Coverage) -> datetime | None:
    """Where a connector began of which no older run is known; None if nothing tells.

    The oldest time that a scheduled run has covered. Without one, no run has got that far: what the first run will ask
    for, which is ``initialCheckpoint``, or the initial history before the workflow was created.
    """
    if coverage.began_at is not None:
        return coverage.began_at
    if start := stack.config["initialCheckpoint"]:
        return rules.moment(start)
    workflow = stack.environment.automation.workflow(stack.outputs["workflowId"]) or {}
    created = moments.parse((workflow.get("modificationInfo") or {}).get("createdTime"))
    return created - rules.duration(stack.config["initHistoryDuration"]) if created else None


def between(begin: str, end: str, now: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the range, in whole seconds. Raises StackError."""
    try:
        until = moments.floor(moments.given(end, now) if end else now)
        since = moments.floor(moments.given(begin, now) if begin else until - HISTORY)
    except ValueError as problem:
        raise StackError(str(problem)) from None
    if since >= until:
        raise StackError(f"the time range is empty: {moments.iso(since)} is not before {moments.iso(until)}")
    return since, until
