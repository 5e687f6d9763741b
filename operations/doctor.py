"""``doctor``: is everything there that a deployment needs, what no API can set included; each finding says what to do.

Works before the first `pulumi up` and after it. Writes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from providers.api.allowlist import MOST_HOSTS
from providers.api.environment import Environment
from providers.api.errors import DynatraceError, NotFound
from providers.api.scopes import ACTOR, AUTOMATION_SCOPES, DEPLOY_SCOPES, INGEST_SCOPES, QUERY_SCOPES

from . import executions, moments
from .scm import Scm, ScmError
from .stack import Stack, StackError

Verdict = Literal["ok", "warn", "FAIL", "skip"]
EXPIRES_SOON = timedelta(days=14)
MOST_RUNS = 20
"""How many of the newest runs are asked for what they did."""

ACTOR_PERMISSIONS = tuple(need.scope for need in ACTOR if need.box)
"""What the manual's page “Enable workflow permissions in Dynatrace” asks for."""


@dataclass
class Findings:
    """What was checked, in order."""

    now: datetime
    found: list[tuple[Verdict, str, str]] = field(default_factory=list)

    def say(self, verdict: Verdict, what: str, todo: str = "") -> None:
        self.found.append((verdict, what, todo))

    @property
    def failed(self) -> bool:
        return any(verdict == "FAIL" for verdict, _, _ in self.found)

    def text(self) -> str:
        lines = []
        for verdict, what, todo in self.found:
            lines.append(f"{verdict:<5} {what}")
            lines += [f"      {line}" for line in todo.splitlines()]
        failed = sum(verdict == "FAIL" for verdict, _, _ in self.found)
        lines += ["", f"{failed} of {len(self.found)} checks failed" if failed else "Everything needed is there"]
        return "\n".join(lines)

    def shown(self) -> list[dict[str, str]]:
        return [{"verdict": verdict.lower(), "check": what, "todo": todo} for verdict, what, todo in self.found]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: all there; 1: something is missing. Raises StackError if the config cannot be read."""
    findings = examine(stack, datetime.now(UTC))
    print(json.dumps(findings.shown(), indent=2, ensure_ascii=False) if options.json else findings.text())
    return 1 if findings.failed else 0


def examine(stack: Stack, now: datetime) -> Findings:
    findings = Findings(now)
    environment = stack.environment
    findings.say("ok", "stack config: every key is well formed")
    if api_tokens(findings, environment):
        allowlist(findings, environment, stack)
    if oauth(findings, environment):
        user_permissions(findings, environment)
        deployed(findings, environment, stack)
    scm(findings, stack)
    return findings


def api_tokens(findings: Findings, environment: Environment) -> bool:
    """Whether the deploy token can be used at all."""
    access = environment.access
    page = f"{access.apps_url}/ui/access-tokens"
    same = access.log_ingest_token in ("", access.api_token)
    works = api_token(
        findings, page, "dynatraceApiToken", DEPLOY_SCOPES + (INGEST_SCOPES if same else ()),
        lambda: environment.deploy_token,
    )  # fmt: skip
    if same:
        findings.say(
            "warn", "logIngestToken is not set: the deploy token itself lies in the vault, for the workflow",
            f"Make a token with logs.ingest alone ({page}), then: pulumi config set --secret logIngestToken",
        )  # fmt: skip
    elif works:
        api_token(findings, page, "logIngestToken", INGEST_SCOPES,
                  lambda: environment.lookup_token(access.log_ingest_token))  # fmt: skip
    return works


def api_token(
    findings: Findings, page: str, key: str, needed: tuple[str, ...], lookup: Callable[[], dict[str, Any]]
) -> bool:
    try:
        token = lookup()
    except NotFound:
        findings.say("FAIL", f"{key}: this environment does not know the token", f"Create one: {page}")
        return False
    except DynatraceError as error:
        findings.say("FAIL", f"{key}: {error}", f"Look at {page}")
        return False
    missing = [scope for scope in needed if scope not in token.get("scopes", [])]
    ends = moments.parse(token.get("expirationDate"))
    id, owner = token.get("id", "?"), token.get("owner", "?")
    if not token.get("enabled", True):
        findings.say("FAIL", f"{key}: token {id} is disabled", f"Enable it: {page}")
    elif ends is not None and ends < findings.now:
        findings.say(
            "FAIL", f"{key}: token {id} expired {moments.ago(ends, findings.now)}", f"Create a new one: {page}"
        )
    elif missing:
        findings.say("FAIL", f"{key}: token {id} lacks {', '.join(missing)}", f"Edit its scopes: {page}")
    elif ends is not None and ends < findings.now + EXPIRES_SOON:
        findings.say("warn", f"{key}: token {id} expires {moments.ago(ends, findings.now)}", "See docs/rotate.md")
    else:
        findings.say("ok", f"{key}: token {id} of {owner} has {', '.join(needed)}")
    return True


def oauth(findings: Findings, environment: Environment) -> bool:
    access = environment.access
    client = access.oauth_client_id
    page = "https://myaccount.dynatrace.com (Identity & Access Management, OAuth clients)"
    try:
        environment.bearer(AUTOMATION_SCOPES)
    except DynatraceError as error:
        findings.say("FAIL", f"oauthClientId: {error}", f"Open {page}")
        return False
    findings.say("ok", f"oauthClientId: {client} gets tokens with {', '.join(AUTOMATION_SCOPES)}")
    scopes = QUERY_SCOPES
    try:
        environment.bearer(scopes)
        findings.say("ok", f"oauthClientId: {client} may also read logs ({', '.join(scopes)})")
    except DynatraceError as error:
        findings.say(
            "skip", f"optional: {error}", "Without it, logs, reconcile and the lag in status are not available"
        )
    return True


def user_permissions(findings: Findings, environment: Environment) -> None:
    """What the OAuth client's user may do; the actor is the same user unless workflowActor names another."""
    page = f"{environment.access.apps_url}/ui/apps/dynatrace.automations/settings"
    asked = [permission for permission in ACTOR_PERMISSIONS if permission.startswith(("automation:", "app-engine:"))]
    try:
        held = environment.automation.permissions()
    except DynatraceError as error:
        findings.say("skip", f"permissions of the OAuth client's user: {error}", f"Look at them: {page}")
        return
    missing = [permission for permission in asked if permission not in held]
    if missing:
        findings.say(
            "FAIL", f"the OAuth client's user lacks {', '.join(missing)}",
            f"A person ticks them at {page}; a service user gets them by an IAM policy (README, step 1)",
        )  # fmt: skip
    else:
        findings.say("ok", f"the OAuth client's user has {', '.join(asked)}")


def deployed(findings: Findings, environment: Environment, stack: Stack) -> None:
    """What only a run can prove: the actor's rights on the vault, which no API tells."""
    page = f"{environment.access.apps_url}/ui/apps/dynatrace.automations/settings"
    todo = (
        f"Its actor needs {', '.join(ACTOR_PERMISSIONS)} (and, for the vault, environment:roles:viewer). No API can "
        f"set them: a person ticks them at {page}; a service user gets them by an IAM policy (README, step 1)"
    )
    try:
        workflow = environment.automation.workflow(stack.outputs["workflowId"])
    except StackError:
        findings.say("skip", "permissions of the workflow's actor: proven by the first run of pulumi up", todo)
        return
    except DynatraceError as error:
        findings.say("FAIL", f"the workflow cannot be read: {error}", "See docs/troubleshoot.md")
        return
    if workflow is None:
        findings.say("FAIL", f"workflow {stack.outputs['workflowId']} is gone", "Run pulumi up --refresh")
        return
    wanted, actor = stack.config["workflowActor"], workflow.get("actor")
    if wanted and wanted != actor:
        findings.say("FAIL", f"the workflow's actor is {actor}, not workflowActor {wanted}", "Run pulumi up --refresh")
    newest = environment.automation.newest_executions(workflow["id"])
    # A run at work, a cancelled one and one that was skipped have proven nothing yet.
    ended = [one for one in newest if one["state"] in ("SUCCESS", "ERROR") and not executions.is_backfill(one)]
    ended = ended[:MOST_RUNS]
    failed = ended[0] if ended and ended[0]["state"] == "ERROR" else None
    if not newest:
        findings.say("warn", "the workflow has never run", "Run pulumi up")
    elif failed:
        reason = environment.redact(" ".join(str(failed.get("stateInfo") or "").split())[:300])
        forbidden = "403" in reason or "Forbidden" in reason
        findings.say("FAIL", f"the last run failed: {reason}", todo if forbidden else "See docs/troubleshoot.md")
    elif good := executions.last_good(environment.automation, ended):
        findings.say("ok", f"the workflow's actor {actor} may do what a run needs (run {good['id']} did it)")
    else:
        findings.say(
            "warn", f"no run has shown yet what the workflow's actor {actor} may do (last run: {newest[0]['state']})",
            f"Look again when one has ended well. {todo}",
        )  # fmt: skip


def allowlist(findings: Findings, environment: Environment, stack: Stack) -> None:
    page = f"{environment.access.apps_url}/ui/apps/dynatrace.classic.settings (General, External requests)"
    needed = [
        str(urlsplit(stack.config[key]).hostname) for key in ("scmApiUrl", "dynatraceEnvironmentUrl", "scmTokenUrl")
    ]
    try:
        seen = environment.allowlist.read()
    except DynatraceError as error:
        findings.say("FAIL", f"outbound allowlist: {error}", f"Look at {page}")
        return
    absent = [host for host in dict.fromkeys(needed) if host not in seen.hosts]
    if not seen.enforced:
        findings.say("ok", "outbound allowlist: not enforced, scripts reach every host")
    elif len(seen.hosts) + len(absent) > MOST_HOSTS:
        findings.say(
            "FAIL", f"outbound allowlist: {len(seen.hosts)} hosts, {len(absent)} more do not fit", f"Free some: {page}"
        )
    elif absent and is_deployed(stack):
        findings.say(
            "FAIL", f"outbound allowlist: {', '.join(absent)} is not listed any more, so that runs fail",
            f"pulumi up --refresh adds it again; who removed it, see {page}",
        )  # fmt: skip
    elif absent:
        findings.say("ok", f"outbound allowlist: pulumi up will add {', '.join(absent)} ({len(seen.hosts)} listed)")
    else:
        findings.say("ok", f"outbound allowlist: {', '.join(dict.fromkeys(needed))} are listed")


def is_deployed(stack: Stack) -> bool:
    try:
        return bool(stack.outputs)
    except StackError:
        return False


def scm(findings: Findings, stack: Stack) -> None:
    """From this machine; the script's own way is the allowlist's matter."""
    client = Scm.of(stack.config)
    page = "https://cert-manager.com (Integrations, Audit API Keys)"
    try:
        client.login()
        next(client.pages(findings.now - timedelta(minutes=10), findings.now), None)
    except ScmError as error:
        findings.say("FAIL", f"sectigoClientId: {error}", f"Look at the key: {page}")
    except DynatraceError as error:
        findings.say(
            "warn", f"SCM is not reachable from this machine: {error}", "The workflow may reach it all the same"
        )
    else:
        findings.say("ok", f"SCM audit API {client.api_url}: the key is accepted and records can be read")
