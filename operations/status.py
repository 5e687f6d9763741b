"""``status``: the current state of a deployed stack on one screen, read from the environment."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from providers import parts
from providers.api.allowlist import MOST_HOSTS
from providers.api.automation import Json, started_at
from providers.api.buckets import Buckets
from providers.api.errors import DynatraceError, LoginFailed
from providers.api.scopes import BUCKETS, QUERY_SCOPES
from providers.api.tokens import EXPIRES_SOON, expiry, platform_token

from . import drift, executions, ledger, marks, moments
from .stack import Preview, Stack, StackError

EXECUTIONS = 5
PATIENT_INTERVALS = 3
ONE_RUN = timedelta(minutes=3)
"""A run leaves the newest minute to the next run, and may take two minutes itself."""
ALMOST_FULL = 90
BUCKETS_OF_RECORDS = """fetch logs, from: now()-24h
| filter log.source == "sectigo-scm"
| summarize count(), by: {bucket = dt.system.bucket}"""
ON_CALL = "docs/on-call.md"
ENTRIES = {
    "scm": parts.SCM.output,
    "log ingest": parts.LOG_INGEST.output,
    "checkpoint": parts.CHECKPOINT.output,
    "lock": parts.EXECUTION_LOCK.output,
    "config": parts.WORKFLOW_CONFIG.output,
}
"""Output of the stack that holds each entry's id."""


@dataclass
class Status:
    """The screen's lines, the same values for JSON, and the problems found."""

    now: datetime
    lines: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    """Parts that could not be read because an optional scope is missing."""
    paused: str = ""
    """Why nothing runs, where that was asked for."""
    newest_good: Json | None = None
    """The newest execution that took the lock, read and sent."""

    def add(self, label: str, text: str, problem: str = "", **values: Any) -> None:
        self.lines.append((label, text))
        self.values.update(values)
        if problem:
            self.problems.append(problem)

    def ask(self, label: str, part: Callable[[], None], optional: str = "") -> None:
        """Add one part of the screen. If it cannot be read, its line says why; the other parts follow.

        ``optional``: scopes that this part needs and that may be missing.
        """
        try:
            part()
        except LoginFailed as error:
            if not optional:
                self.unread(label, error)
                return
            self.blind.append(label)
            self.add(label, f"not read: needs {optional}")
        except (DynatraceError, StackError) as error:
            self.unread(label, error)

    def unread(self, label: str, error: Exception) -> None:
        self.add(label, f"not read: {first_line(error)}", f"{label} could not be read")

    @property
    def patience(self) -> timedelta | None:
        """The longest silence that is normal; None without an active schedule."""
        minutes = self.values.get("intervalMinutes")
        if not self.values.get("scheduleActive") or not minutes:
            return None
        return PATIENT_INTERVALS * timedelta(minutes=int(minutes)) + ONE_RUN

    @property
    def verdict(self) -> Literal["OK", "PAUSED", "ATTENTION"]:
        return "ATTENTION" if self.problems else "PAUSED" if self.paused else "OK"

    def text(self) -> str:
        shown = [f"{label:<11} {text}" for label, text in self.lines]
        blind = f", but {' and '.join(self.blind)} could not be read" if self.blind else ""
        said = {
            "OK": f"OK{blind}",
            "PAUSED": f"PAUSED: {self.paused}{blind}",
            "ATTENTION": "ATTENTION: " + "\n           ".join(self.problems),
        }[self.verdict]
        if self.problems:
            said += f"\nWhat to do: {ON_CALL}"
        return "\n".join([*shown, "", said])


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--no-drift", action="store_true", help="skip the comparison with the program (2 to 4 s)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: OK; 1: something needs attention; 3: paused. Raises StackError, DynatraceError."""
    status = read(stack, stack.environment.now(), with_drift=not options.no_drift)
    if options.json:
        shown = {**status.values, "notRead": status.blind, "problems": status.problems, "verdict": status.verdict}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        print(status.text())
    return {"OK": 0, "ATTENTION": 1, "PAUSED": 3}[status.verdict]


def read(stack: Stack, now: datetime, *, with_drift: bool = True) -> Status:
    status = Status(now)
    out = stack.outputs
    with ThreadPoolExecutor(1) as background:
        # The slowest part begins first: Pulumi compares while the rest is read.
        preview = background.submit(stack.preview, refresh=True) if with_drift else None
        read_parts(status, stack, out["workflowId"])
        if preview is not None:
            status.ask("drift", lambda: drifted(status, stack, preview))
    return status


def read_parts(status: Status, stack: Stack, workflow_id: str) -> None:
    """Every part but the drift."""
    status.add("stack", f"{stack.name} in {stack.config['dynatraceEnvironmentUrl']}", stack=stack.name)
    workflow = stack.environment.automation.workflow(workflow_id)
    objects(status, stack, workflow)
    status.ask("owner", lambda: owner(status, stack))
    if workflow is not None:
        identities(status, stack, workflow)
        schedule(status, stack, workflow)
        status.ask("runs", lambda: runs(status, stack, workflow))
        status.ask("checkpoint", lambda: checkpoint(status, stack), "storage:logs:read and storage:buckets:read")
        status.ask("retention", lambda: retention(status, stack), ", ".join((*QUERY_SCOPES, BUCKETS.scope)))
    status.ask("tokens", lambda: tokens(status, stack))
    status.ask("allowlist", lambda: allowlist(status, stack))


def objects(status: Status, stack: Stack, workflow: Json | None) -> None:
    found = {name: stack.environment.vault.get(stack.outputs[output]) for name, output in ENTRIES.items()}
    gone = [name for name, entry in found.items() if entry is None] + (["workflow"] if workflow is None else [])
    ids = {**{name: stack.outputs[output] for name, output in ENTRIES.items()}, "workflow": stack.outputs["workflowId"]}
    text = f"{len(ids) - len(gone)} of {len(ids)}: workflow {ids['workflow']} and its vault entries"
    problem = f"deleted: {', '.join(gone)} (pulumi up --refresh creates them again)" if gone else ""
    status.add("objects", text, problem, objects=ids, gone=gone)
    entries = ", ".join(f"{name} {ids[name].removeprefix('CREDENTIALS_VAULT-')}" for name in ENTRIES)
    status.add("entries", entries)
    owners = {entry.owner for entry in found.values() if entry}
    status.values["owners"] = sorted(owners)


def owner(status: Status, stack: Stack) -> None:
    """By the marks of the objects: one installation, and nobody else's objects of the same names."""
    found = marks.named(stack.environment, stack.config["name"])
    seen = marks.judged(stack.outputs, stack.outputs.get("owner", ""), found)
    status.add("owner", seen.text, "; ".join(seen.problems), owner=seen.text)


def identities(status: Status, stack: Stack, workflow: Json) -> None:
    actor, owner = workflow.get("actor") or "?", workflow.get("owner") or "?"
    owners = status.values["owners"]
    text = f"workflow runs as {actor}, is owned by {owner}; vault entries are owned by {', '.join(owners) or '?'}"
    wanted = stack.config["workflowActor"]
    problem = f"the workflow runs as {actor}, not as workflowActor {wanted}" if wanted and actor != wanted else ""
    if len(owners) > 1:
        problem = problem or "the vault entries have several owners: each write takes an entry away from the other"
    status.add("identities", text, problem, actor=actor, owner=owner)


def schedule(status: Status, stack: Stack, workflow: Json) -> None:
    found = (workflow.get("trigger") or {}).get("schedule") or {}
    minutes = (found.get("trigger") or {}).get("intervalMinutes")
    active = bool(found.get("isActive") and workflow.get("isDeployed"))
    following = moments.parse(found.get("nextExecution"))
    problem = ""
    if active:
        text = f"every {minutes} minutes" if minutes != 1 else "every minute"
        if following:
            overdue = " was due" if following < status.now else ""
            text += f", next run{overdue} {moments.ago(following, status.now)}"
        if found.get("isFaulty"):
            problem = "Dynatrace reports a faulty schedule; save the workflow again with pulumi up --refresh"
    else:
        text = "off" if workflow.get("isDeployed") else "off: the workflow is not deployed"
        if not stack.config["triggerEnabled"]:
            status.paused = (
                "the schedule is off (triggerEnabled is false), so no records are fetched; see docs/pause.md"
            )
        else:
            problem = (
                "nothing runs: the schedule was turned off in Dynatrace, although triggerEnabled is true; "
                "pulumi up --refresh turns it on again"
            )
    status.add(
        "schedule", text, problem, scheduleActive=active, intervalMinutes=minutes, paused=not active,
        nextRun=moments.iso(following) if following else None,
    )  # fmt: skip


def runs(status: Status, stack: Stack, workflow: Json) -> None:
    automation = stack.environment.automation
    newest = automation.newest_executions(workflow["id"])
    latest = newest[:EXECUTIONS]
    shown = [f"{one['state']} {moments.ago(at, status.now)}" for one in latest if (at := started_at(one))]
    patience = status.patience
    recent = [
        one for one in newest if (at := started_at(one)) and status.now - at <= (patience or ledger.QUERYABLE_AFTER)
    ]
    status.newest_good = executions.last_good(automation, recent)
    problem = ""
    if latest and latest[0]["state"] == "ERROR":
        problem = f"the last run failed: {stack.environment.redact(executions.why_failed(automation, latest[0]))}"
    elif patience and status.newest_good is None:
        skipped = sum(one["state"] == "SUCCESS" and not executions.is_backfill(one) for one in recent)
        problem = f"no run has read and sent records for at least {moments.span(patience.total_seconds())}"
        problem += f" ({skipped} skipped because another run holds the lock)" if skipped else ""
    problem = "; ".join(filter(None, (problem, unproven(stack, newest))))
    status.add(
        "runs", "; ".join(shown) or "none yet", problem,
        runs=[{"id": one["id"], "state": one["state"], "startedAt": one.get("startedAt")} for one in latest],
    )  # fmt: skip
    holder = next((one for one in latest if one["state"] == "RUNNING" and not executions.is_backfill(one)), None)
    status.add("lock", f"held by execution {holder['id']}" if holder else "free: no execution is running",
               lock=holder["id"] if holder else None)  # fmt: skip


def unproven(stack: Stack, newest: list[Json]) -> str:
    """A problem if no run has succeeded since Pulumi last wrote a credential that runs use; else empty."""
    # From the state, not from the stack's outputs: an `up` that failed at its run has not updated those.
    times = [moments.parse(stack.recorded(resource).get("written")) for resource in ("scm", "log-ingest")]
    written = max((time for time in times if time), default=None)
    if written is None:
        return ""
    since = [one for one in newest if (at := started_at(one)) and at >= written]
    if executions.last_good(stack.environment.automation, since):
        return ""
    return (
        f"no run has succeeded since the credentials in the vault were changed ({moments.iso(written)}): "
        f"pulumi up --stack {stack.name} starts one"
    )


def checkpoint(status: Status, stack: Stack) -> None:
    """From the run ledger: the vault never reveals a value."""
    workflow = stack.outputs["workflowId"]
    pending = ledger.missing_yet(stack.environment, workflow, status.newest_good, status.now)
    reported = list(ledger.runs(stack.environment, workflow, status.now - timedelta(hours=24)))
    set_aside = sum(run.set_aside for run in reported)
    scheduled = [run for run in reported if run.outcome != "skipped" and not run.backfill]
    last = scheduled[-1] if scheduled else None
    reached = next((run.at - timedelta(seconds=run.lag_s) for run in scheduled[::-1] if run.lag_s is not None), None)
    if pending:
        status.values["notQueryableYet"] = pending
    patience = status.patience
    if last is None:
        silent = "no run has reported in the last 24 h"
        problem = silent if patience and not pending else ""
        status.add("checkpoint", ledger.not_yet(pending) or silent, problem, checkpoint=None, lagSeconds=None)
        return
    refused = moments.count(set_aside, "record")
    lost = (
        f"log ingest has refused {refused} in the last 24 h (make reconcile STACK={stack.name} lists them)"
        if set_aside
        else ""
    )
    text = f"{last.checkpoint} (reported {moments.ago(last.at, status.now)})"
    text += f"; {ledger.not_yet(pending)}" if pending else ""
    status.add("checkpoint", text, lost, checkpoint=last.checkpoint, setAside=set_aside)
    lag = None if reached is None else max(0, round((status.now - reached).total_seconds()))
    text = "unknown" if lag is None else f"{moments.span(lag)} behind"
    behind = (
        f"the connector is {moments.span(lag)} behind (limit: {moments.span(patience.total_seconds())})"
        if patience and lag is not None and lag > patience.total_seconds()
        else ""
    )
    counts = f"; last run: {last.fetched} fetched, {last.sent} sent, {last.outcome}"
    status.add("lag", text + counts, behind, lagSeconds=lag)


def retention(status: Status, stack: Stack) -> None:
    """How long the buckets that the newest audit records are in keep them. Nobody who has not asked for
    ``auditRetentionDays`` is told that it cannot be read."""
    environment, wanted = stack.environment, stack.config["auditRetentionDays"]
    try:
        rows = environment.query_logs(BUCKETS_OF_RECORDS)
        buckets = Buckets(environment.platform)
        days = {str(row["bucket"]): buckets.retention_days(str(row["bucket"])) for row in rows}
    except DynatraceError:
        if not wanted:
            return
        raise
    shown = ", ".join(f"bucket {name} keeps records for {kept} days" for name, kept in days.items())
    short = [f"bucket {name} keeps audit records for {kept} days" for name, kept in days.items() if kept < wanted]
    problem = f"{' and '.join(short)}, not for auditRetentionDays {wanted} (docs/watch.md)" if short else ""
    status.add("retention", shown or "no audit records in the last 24 h", problem, retentionDays=days)


def tokens(status: Status, stack: Stack) -> None:
    access = stack.environment.access
    lookups = {"dynatraceApiToken": access.api_token}
    if access.log_ingest_token not in ("", access.api_token):
        lookups["logIngestToken"] = access.log_ingest_token
    described_tokens = {key: stack.environment.lookup_token(token) for key, token in lookups.items()}
    if access.platform_token and access.platform_token_expires:
        described_tokens["platformToken"] = platform_token(access.platform_token, access.platform_token_expires)
    shown, expiring = [], []
    for key, described in described_tokens.items():
        ends = expiry(described)
        if not described.get("enabled", True):
            shown.append(f"{key} is disabled")
            expiring.append(f"{key} is disabled")
        elif ends is None:
            shown.append(f"{key} never expires")
        else:
            verb = "expired" if ends < status.now else "expires"
            shown.append(f"{key} {verb} {moments.ago(ends, status.now)}")
            if ends < status.now + EXPIRES_SOON:
                expiring.append(f"{key} {verb} {moments.ago(ends, status.now)}")
    if access.platform_token and not access.platform_token_expires:
        shown.append("platformToken: expiry not known (set platformTokenExpires)")
    status.add("tokens", "; ".join(shown), "; ".join(expiring), tokens=shown)


def allowlist(status: Status, stack: Stack) -> None:
    seen = stack.environment.allowlist.read()
    if not seen.enforced:
        status.add("allowlist", "not enforced: scripts can reach every host", allowlist=None)
        return
    used = len(seen.hosts)
    room = moments.count(MOST_HOSTS - used, "more host")
    problem = f"the allowlist has room for only {room}" if used > ALMOST_FULL else ""
    status.add("allowlist", f"{used} of {MOST_HOSTS} hosts", problem, allowlist=used)


def drifted(status: Status, stack: Stack, preview: Future[Preview]) -> None:
    found = preview.result().changes
    problem = (
        "drift: the deployment differs from the program (changed outside Pulumi, or not yet deployed): "
        f"make drift STACK={stack.name}"
        if found
        else ""
    )
    status.add("drift", drift.describe(found), problem, drift=found)
