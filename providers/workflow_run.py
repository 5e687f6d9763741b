"""Step 11: one run after each deployment of a new revision; ``pulumi up`` waits for it and fails if it fails.

A revision is a hash of script, parameters and credential ids. The run is looked up before one is started, by the
revision in its input; a failed run fails ``pulumi up`` with the reason, and the next ``up`` tries again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import DiffResult

from workflow_src.render import TASK

from .api.automation import CHECK_EVERY_S, LONGEST_LEG_S, Json, moment, sentence, started_at
from .api.environment import Environment
from .api.errors import DynatraceError, RunFailed
from .api.scopes import ACTOR, ACTOR_BOXES, LOGS_INGEST, VAULT_READ, WORKFLOWS_READ, WORKFLOWS_RUN
from .configuration import Properties
from .host import say, warn
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs, resolved

SKIPPED_TRIES = 3
QUALIFIERS = 20
SETTINGS_PAGE = "/ui/apps/dynatrace.automations/settings"
DENIED = re.compile(r"\b403\b|Forbidden|may not|permission|does not exist")
"""A reason that the actor's rights explain; an owner's entry does not exist for others."""
ENDED_BY_DYNATRACE = re.compile(r"\b(TIMEOUT|OUT_OF_MEMORY|KILLED)\b|time limit|memory limit")
ONE_USER = "use one service user for the deploy token, the OAuth client and the workflow's actor"


class RunOutcome(TypedDict):
    """What the run's first leg did (a leg is one execution of the script; a catch-up is a chain of them)."""

    execution: str
    outcome: str


class RunProperties(Properties):
    workflow: str
    revision: str
    checkpoint: str
    """ID of the checkpoint entry, or empty."""
    credentials: str
    """When Pulumi last wrote a credential that the script uses, in ISO 8601; empty if that is not known."""
    executionsUrl: str
    showLog: bool
    execution: str
    """Output: ID of the execution."""
    outcome: str
    """Output: ``caught up`` or ``more waiting``."""


class WorkflowRunProvider(ObjectProvider[RunProperties]):
    compared = ("workflow", "revision")
    marked = False
    outputs = ("execution", "outcome")
    needs = (WORKFLOWS_READ, WORKFLOWS_RUN, VAULT_READ, LOGS_INGEST, *ACTOR)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        # States of earlier releases do not know the times of their credentials: empty and missing are the same.
        newer = (_olds.get("credentials") or "") != (_news.get("credentials") or "")
        return DiffResult(changes=super().diff(_id, _olds, _news).changes or newer)

    def create_object(self, environment: Environment, props: RunProperties) -> tuple[str, Outputs]:
        outcome = run_once(environment, props)
        compare_identities(environment, props["checkpoint"])
        return f"{props['workflow']}/run", {**outcome}

    def update_object(self, environment: Environment, id: str, olds: RunProperties, news: RunProperties) -> Outputs:
        outcome = run_once(environment, news)
        compare_identities(environment, news["checkpoint"])
        return {**outcome}

    def read_object(self, environment: Environment, id: str, props: RunProperties) -> Differences | None:
        return {}  # a run is in the past: it neither drifts nor disappears

    def delete_object(self, environment: Environment, id: str, props: RunProperties) -> None:
        """Nothing to delete: executions belong to the workflow."""


def run_once(environment: Environment, props: RunProperties) -> RunOutcome:
    """Find or start the run of this revision, wait for its first leg, show its log. Raises RunFailed if it failed."""
    automation = environment.automation
    skipped: set[str] = set()
    while len(skipped) < SKIPPED_TRIES:
        execution = automation.await_end(find_or_start(environment, props, skipped))
        id, task = execution["id"], automation.task(execution["id"], TASK)
        failed = execution["state"] != "SUCCESS"
        if failed:
            reason = environment.redact(sentence(task.get("stateInfo")) or sentence(execution.get("stateInfo")))
            say(indented(without(reason, environment.redact(automation.task_log(id, TASK)))))
            raise RunFailed(why(execution, reason, f"{props['executionsUrl']}/{id}", environment))
        if props["showLog"]:
            say(indented(environment.redact(automation.task_log(id, TASK))))
        result = task.get("result")
        outcome = str(result.get("outcome", "")) if isinstance(result, dict) else ""
        if outcome != "skipped":
            if outcome == "more waiting":
                say("more records are waiting: the workflow continues by itself")
            return {"execution": id, "outcome": outcome}
        say("another run is in progress; waiting for it to end, then trying again")
        skipped.add(id)
        await_others(environment, props["workflow"])
    raise RunFailed("the first run was skipped three times because another run held the lock; run `pulumi up` again")


def find_or_start(environment: Environment, props: RunProperties, skipped: set[str]) -> Json:
    """An execution of this revision that is running or has succeeded since the workflow and its credentials were last
    written, or a new one.

    The revision travels in the run's input, so that a lost state or a lost answer starts nothing twice. An older run
    of the same revision proves nothing: others have been deployed in between.
    """
    workflow, revision = props["workflow"], props["revision"]
    newest = environment.automation.newest_executions(workflow, triggerType="Manual")
    runs = [execution for execution in newest if (execution.get("input") or {}).get("revision") == revision]
    written = last_written(environment.automation.workflow(workflow)) if runs else None
    if changed := moment(props.get("credentials") or None):
        written = max(written or changed, changed)
    for execution in runs:
        if is_good(execution, written) and execution["id"] not in skipped:
            say(f"execution {execution['id']} of this revision is {execution['state']}")
            return execution
    for number in range(len(runs) + 1, len(runs) + 1 + QUALIFIERS):
        # A used qualifier starts nothing; the answer is the run that it started then, which may have failed.
        started = environment.automation.run(
            workflow, input={"revision": revision}, unique_qualifier=f"{revision}-{number}"
        )
        if is_good(started, written) and started["id"] not in skipped:
            say(f"workflow execution started: {started['id']} ({started['state']})")
            return started
    raise RunFailed(
        f"no run of workflow {workflow} could be started: Dynatrace returned earlier runs instead; try again later"
    )


def newest(times: Sequence[str | None]) -> str:
    """The latest of the times of credentials (of one form, so their order is that of their texts), or empty."""
    return max(time or "" for time in times)


def last_written(workflow: Json | None) -> datetime | None:
    return moment(((workflow or {}).get("modificationInfo") or {}).get("lastModifiedTime"))


def is_good(execution: Json, written: datetime | None) -> bool:
    """Both times are the server's."""
    started = started_at(execution)
    return execution["state"] in ("RUNNING", "SUCCESS") and (not written or not started or started >= written)


def await_others(environment: Environment, workflow: str) -> None:
    until = time.monotonic() + LONGEST_LEG_S
    while environment.automation.newest_executions(workflow, state="RUNNING") and time.monotonic() < until:
        environment.sleep(CHECK_EVERY_S)


def indented(log: str) -> str:
    return "\n".join(f"  | {line}" for line in log.strip().splitlines()) or "  | (the run printed nothing)"


def without(reason: str, log: str) -> str:
    """A failed run's log without the reason, which the error itself gives."""
    lines = [line for line in log.splitlines() if not reason or line.strip() not in (reason, f"✗ {reason}")]
    return "\n".join(line.replace(f" ({reason})", "") if reason else line for line in lines)


def why(execution: Json, reason: str, url: str, environment: Environment) -> str:
    """Why a run failed, once, the likeliest explanation first. While `up` runs, Pulumi repeats the first line only."""
    lines = [f"Cause: {reason or 'Dynatrace gives none'}"]
    if DENIED.search(reason):
        deployer, actor = environment.deploy_token.get("owner"), execution.get("actor")
        two_users = deployer and actor and deployer != actor
        if two_users:
            lines.append(
                f"Likeliest: the workflow acts for {actor}, its vault entries belong to {deployer}: {ONE_USER}"
            )
        lines.append(
            f"{'Otherwise' if two_users else 'Likeliest'}: the actor lacks a permission or has not given it to "
            f"workflows: {ACTOR_BOXES}. Tick them at {environment.access.apps_url}{SETTINGS_PAGE}"
        )
    elif ENDED_BY_DYNATRACE.search(reason):
        lines.append("Dynatrace ended the script; the next run continues from what was saved")
    lines.append(f"Look: {url}")
    return "\n  ".join([f"the workflow was deployed, but its run ended as {execution['state']}", *lines])


def compare_identities(environment: Environment, checkpoint: str) -> None:
    """Each write of a vault entry makes the writer its owner: two users keep taking it away from each other."""
    entry = environment.vault.get(checkpoint) if checkpoint else None
    try:
        deployer = environment.deploy_token.get("owner")
    except DynatraceError:
        return
    if entry and deployer and entry.owner and entry.owner != deployer:
        warn(f"the workflow writes the checkpoint as {entry.owner}, the deploy token belongs to {deployer}: {ONE_USER}")


class WorkflowRun(DynatraceObject, module="dynatrace", name="WorkflowRun"):
    """One run of the workflow per revision, and after each change of a credential that the script uses.

    ``credentials``: when they were last written.

    Outputs: ``execution`` (id of the execution), ``outcome`` (``caught up`` or ``more waiting``).
    """

    execution: pulumi.Output[str]
    outcome: pulumi.Output[str]

    def __init__(
        self,
        resource: str,
        place: Properties,
        *,
        workflow: pulumi.Input[str],
        revision: pulumi.Input[str],
        checkpoint: pulumi.Input[str],
        credentials: pulumi.Input[str],
        executions_url: str,
        show_log: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place,
            "workflow": resolved(workflow),
            "revision": resolved(revision),
            "checkpoint": resolved(checkpoint),
            "credentials": resolved(credentials),
            "executionsUrl": executions_url,
            "showLog": show_log,
        }
        super().__init__(WorkflowRunProvider(), resource, props, opts)
