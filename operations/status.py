"""``status``: how a deployed stack is, on one screen; every line is read from the environment now."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.api.automation import Json, started_at
from providers.api.errors import DynatraceError
from providers.api.settings import MOST_HOSTS

from . import drift, ledger, moments
from .stack import Stack, StackError

EXECUTIONS = 5
SILENT_INTERVALS = 3
EXPIRES_SOON = timedelta(days=14)
ALMOST_FULL = 90
ENTRIES = {
    "scm": "scmCredentialId",
    "log ingest": "logIngestCredentialId",
    "checkpoint": "checkpointCredentialId",
    "lock": "executionLockCredentialId",
    "config": "workflowConfigCredentialId",
}
"""Output of the stack that holds each entry's id."""


@dataclass
class Status:
    """Lines to show, the same as JSON, and what is wrong."""

    now: datetime
    lines: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, label: str, text: str, problem: str = "", **values: Any) -> None:
        self.lines.append((label, text))
        self.values.update(values)
        if problem:
            self.problems.append(problem)

    def ask(self, label: str, part: Callable[[], None], skipped: str = "") -> None:
        """One part of the screen; what cannot be read says why and hides nothing else."""
        try:
            part()
        except (DynatraceError, StackError) as error:
            self.add(label, f"not read: {skipped or first_line(error)}")

    def text(self) -> str:
        shown = [f"{label:<11} {text}" for label, text in self.lines]
        verdict = "OK" if not self.problems else "ATTENTION: " + "; ".join(self.problems)
        return "\n".join([*shown, "", verdict])


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--no-drift", action="store_true", help="leave out the comparison with the program (2 to 4 s)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: well; 1: something needs attention. Raises StackError, DynatraceError."""
    status = read(stack, datetime.now(UTC), with_drift=not options.no_drift)
    if options.json:
        print(json.dumps({**status.values, "problems": status.problems}, indent=2, ensure_ascii=False))
    else:
        print(status.text())
    return 1 if status.problems else 0


def read(stack: Stack, now: datetime, *, with_drift: bool = True) -> Status:
    status = Status(now)
    out = stack.outputs
    status.add("stack", f"{stack.name} in {stack.config['dynatraceEnvironmentUrl']}", stack=stack.name)
    workflow = stack.environment.automation.workflow(out["workflowId"])
    objects(status, stack, workflow)
    if workflow is not None:
        identities(status, stack, workflow)
        schedule(status, workflow)
        status.ask("runs", lambda: runs(status, stack, workflow))
        status.ask("checkpoint", lambda: checkpoint(status, stack), "needs storage:logs:read and storage:buckets:read")
    status.ask("tokens", lambda: tokens(status, stack))
    status.ask("allowlist", lambda: allowlist(status, stack))
    if with_drift:
        status.ask("drift", lambda: drifted(status, stack))
    return status


def objects(status: Status, stack: Stack, workflow: Json | None) -> None:
    found = {name: stack.environment.vault.get(stack.outputs[output]) for name, output in ENTRIES.items()}
    gone = [name for name, entry in found.items() if entry is None] + (["workflow"] if workflow is None else [])
    ids = {**{name: stack.outputs[output] for name, output in ENTRIES.items()}, "workflow": stack.outputs["workflowId"]}
    text = f"{len(ids) - len(gone)} of {len(ids)}: workflow {ids['workflow']} and its vault entries"
    problem = f"gone: {', '.join(gone)} (pulumi up --refresh makes them again)" if gone else ""
    status.add("objects", text, problem, objects=ids, gone=gone)
    entries = ", ".join(f"{name} {ids[name].removeprefix('CREDENTIALS_VAULT-')}" for name in ENTRIES)
    status.add("entries", entries)
    owners = {entry.owner for entry in found.values() if entry}
    status.values["owners"] = sorted(owners)


def identities(status: Status, stack: Stack, workflow: Json) -> None:
    actor, owner = workflow.get("actor") or "?", workflow.get("owner") or "?"
    owners = status.values["owners"]
    text = f"actor {actor}, workflow's owner {owner}, vault entries of {', '.join(owners) or '?'}"
    wanted = stack.config["workflowActor"]
    problem = f"the actor is {actor}, not workflowActor {wanted}" if wanted and actor != wanted else ""
    if len(owners) > 1:
        problem = problem or "the vault entries belong to several users: each write takes an entry from the other"
    status.add("identities", text, problem, actor=actor, owner=owner)


def schedule(status: Status, workflow: Json) -> None:
    found = (workflow.get("trigger") or {}).get("schedule") or {}
    minutes = (found.get("trigger") or {}).get("intervalMinutes")
    active = bool(found.get("isActive") and workflow.get("isDeployed"))
    following = moments.parse(found.get("nextExecution"))
    if not active:
        text = "off"
    else:
        text = f"every {minutes} minutes"
        text += f", next run {moments.ago(following, status.now)}" if following else ""
    problem = "Dynatrace calls the schedule faulty; save the workflow anew with pulumi up --refresh" if (
        found.get("isFaulty")
    ) else ""  # fmt: skip
    status.add(
        "schedule", text, problem, scheduleActive=active, intervalMinutes=minutes,
        nextRun=moments.iso(following) if following else None,
    )  # fmt: skip


def runs(status: Status, stack: Stack, workflow: Json) -> None:
    latest = stack.environment.automation.newest_executions(workflow["id"])[:EXECUTIONS]
    shown = [f"{one['state']} {moments.ago(at, status.now)}" for one in latest if (at := started_at(one))]
    good = next((at for one in latest if one["state"] == "SUCCESS" and (at := started_at(one))), None)
    problem = ""
    if latest and latest[0]["state"] == "ERROR":
        reason = " ".join(str(latest[0].get("stateInfo") or "no reason given").split())[:200]
        problem = f"the last run failed: {stack.environment.redact(reason)}"
    minutes = status.values.get("intervalMinutes")
    if status.values.get("scheduleActive") and minutes:
        silence = timedelta(minutes=SILENT_INTERVALS * int(minutes))
        if good is None or status.now - good > silence:
            since = f"since {moments.short(good)}" if good else f"among the last {len(latest)} runs"
            problem = problem or f"no run has succeeded {since} ({SILENT_INTERVALS} intervals and more)"
    status.add(
        "runs", "; ".join(shown) or "none yet", problem,
        runs=[{"id": one["id"], "state": one["state"], "startedAt": one.get("startedAt")} for one in latest],
    )  # fmt: skip
    holder = next((one for one in latest if one["state"] == "RUNNING" and not is_backfill(one)), None)
    status.add("fence", f"held by execution {holder['id']}" if holder else "free: no execution is running",
               fence=holder["id"] if holder else None)  # fmt: skip


def is_backfill(execution: Json) -> bool:
    """One that runs beside the schedule and takes no lock."""
    return bool((execution.get("input") or {}).get("backfill"))


def checkpoint(status: Status, stack: Stack) -> None:
    """From the run ledger: the vault never answers with a value."""
    since = status.now - timedelta(hours=24)
    last = None
    for run in ledger.runs(stack.environment, stack.outputs["workflowId"], since):
        if run.outcome != "skipped" and not run.backfill:
            last = run
    if last is None:
        status.add("checkpoint", "no run has reported in the last 24 h", checkpoint=None, lagSeconds=None)
        return
    status.add("checkpoint", f"{last.checkpoint} (told {moments.ago(last.at, status.now)})", checkpoint=last.checkpoint)
    lag = None if last.lag_s is None else last.lag_s + max(0, round((status.now - last.at).total_seconds()))
    text = "unknown" if lag is None else f"{moments.span(lag)} since the end of what was read"
    status.add("lag", text + f"; last run: {last.fetched} fetched, {last.sent} sent, {last.outcome}", lagSeconds=lag)


def tokens(status: Status, stack: Stack) -> None:
    access = stack.environment.access
    lookups = {"dynatraceApiToken": access.api_token}
    if access.log_ingest_token not in ("", access.api_token):
        lookups["logIngestToken"] = access.log_ingest_token
    shown, expiring = [], []
    for key, token in lookups.items():
        described = stack.environment.lookup_token(token)
        ends = moments.parse(described.get("expirationDate"))
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
    status.add("tokens", "; ".join(shown), "; ".join(expiring), tokens=shown)


def allowlist(status: Status, stack: Stack) -> None:
    seen = stack.environment.settings.allowlist()
    if not seen.enforced:
        status.add("allowlist", "not enforced: scripts reach every host", allowlist=None)
        return
    used = len(seen.hosts)
    problem = f"the allowlist has room for {MOST_HOSTS - used} more hosts" if used > ALMOST_FULL else ""
    status.add("allowlist", f"{used} of {MOST_HOSTS} hosts", problem, allowlist=used)


def drifted(status: Status, stack: Stack) -> None:
    found = drift.look(stack)
    problem = (
        f"the program says otherwise (changed outside Pulumi, or not deployed yet): make drift STACK={stack.name}"
        if found.changes
        else ""
    )
    status.add("drift", found.line, problem, drift=found.changes)
