"""The run ledger: one log record per run of the sync script, with its window, its counts and its outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from providers.api.automation import Json
from providers.api.environment import Environment

from . import moments

SOURCE = "sectigo-scm-connector"
PAGE = 1000
QUERYABLE_AFTER = timedelta(minutes=2)
"""Later than this after the end of a run its record can be queried; usually after about 10 s."""
WAIT_S = 15.0
LONGEST_KEPT = timedelta(days=365)


@dataclass(frozen=True)
class Run:
    """One leg: one execution of the script, at most 100 s, in the chain that a long catch-up needs."""

    at: datetime
    """When its record arrived, which is the end of the run."""
    execution: str
    outcome: str
    reason: str
    covered_from: datetime | None
    covered_to: datetime | None
    """The time range that this run vouches for: every record in it was read and accepted, by this run or by an earlier
    one that could not report it. None: no range."""
    fetched: int
    sent: int
    repeated: int
    set_aside: int
    checkpoint: str
    lag_s: int | None
    backfill: bool
    """A window resent on request; the checkpoint does not move."""


def runs(environment: Environment, workflow: str, since: datetime) -> Iterator[Run]:
    """Runs that ended at ``since`` or later, oldest first. Needs the scopes for reading logs."""
    begin, seen = since, set[str]()
    while True:
        page = environment.query_logs(
            f'fetch logs, from:"{moments.iso(begin)}" | filter log.source == "{SOURCE}" '
            f'and connector.workflow == "{workflow}" | sort timestamp asc | limit {PAGE}',
            most=PAGE,
        )
        found = [run for run in map(run_of, page) if run is not None and run.execution not in seen]
        yield from found
        if len(page) < PAGE or not found:
            return
        begin, seen = found[-1].at, {run.execution for run in found}


def missing_yet(environment: Environment, workflow: str, execution: Json | None, now: datetime) -> str:
    """ID of an execution that ended just now and whose record cannot be queried yet, after a wait; or empty.

    Log ingest answers before a record can be queried, which takes about ten seconds.
    """
    ended = moments.parse(execution.get("endedAt")) if execution else None
    if execution is None or ended is None or now - ended > QUERYABLE_AFTER:
        return ""
    give_up = time.monotonic() + WAIT_S
    while True:
        if environment.query_logs(
            f'fetch logs, from:"{moments.iso(ended - timedelta(hours=1))}" | filter log.source == "{SOURCE}" '
            f'and connector.workflow == "{workflow}" and connector.executionId == "{execution["id"]}" | limit 1',
            most=1,
        ):
            return ""
        if time.monotonic() >= give_up:
            return str(execution["id"])
        time.sleep(1.0)


def not_yet(execution: str) -> str:
    return f"the record of run {execution} cannot be queried yet; try again in a minute" if execution else ""


def reported_before(environment: Environment, workflow: str, moment: datetime) -> bool:
    """Whether any run of the workflow reported before a time, as far back as Grail keeps records."""
    found = environment.query_logs(
        f'fetch logs, from:"{moments.iso(moment - LONGEST_KEPT)}", to:"{moments.iso(moment)}" '
        f'| filter log.source == "{SOURCE}" and connector.workflow == "{workflow}" | limit 1',
        most=1,
    )
    return bool(found)


def run_of(record: dict[str, Any]) -> Run | None:
    """None for a record that has no readable time."""
    at = moments.parse(record.get("timestamp"))
    if at is None:
        return None

    def text(name: str) -> str:
        # Environments of the classic pipeline lower the case of keys (facts: dynatrace-runtime 9).
        value = record.get(f"connector.{name}", record.get(f"connector.{name.lower()}"))
        return "" if value is None else str(value)

    def number(name: str) -> int:
        return int(text(name)) if text(name).lstrip("-").isdigit() else 0

    return Run(
        at=at,
        execution=text("executionId"),
        outcome=text("outcome"),
        reason=text("reason"),
        covered_from=moments.parse(text("coveredFrom")),
        covered_to=moments.parse(text("coveredTo")),
        fetched=number("fetched"),
        sent=number("sent"),
        repeated=number("repeated"),
        set_aside=number("setAside"),
        checkpoint=text("checkpointAfter"),
        lag_s=number("lagSeconds") if text("lagSeconds") else None,
        backfill=text("backfill") == "true",
    )
