"""``doctor``: check all prerequisites of a deployment, including those that no API can set; each finding has a remedy.

Works before the first `pulumi up` and after it. Writes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from providers.api import identities, tokens
from providers.api.allowlist import MOST_HOSTS
from providers.api.environment import Environment
from providers.api.errors import DynatraceError, LoginFailed, NotFound, TransportError
from providers.api.scopes import ACTOR, AUTOMATION_SCOPES, DEPLOY_SCOPES, INGEST_SCOPES, QUERY_SCOPES, READ_USER
from providers.ownership import foreign

from . import executions, marks
from .scm import Scm, ScmError
from .stack import Stack, StackError

Verdict = Literal["ok", "warn", "FAIL", "skip"]
OAUTH_PAGE = "https://myaccount.dynatrace.com (Identity & Access Management, OAuth clients)"
PLATFORM_PAGE = "https://myaccount.dynatrace.com (Identity & Access Management, Platform tokens)"
MOST_RUNS = 20
"""How many of the newest runs are looked at."""

ACTOR_PERMISSIONS = tuple(need.scope for need in ACTOR if need.box)
"""As listed on the manual's page “Enable workflow permissions in Dynatrace”."""


@dataclass
class Findings:
    """The checks in order: verdict, what was found, what to do."""

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
        count = f"{failed} of {len(self.found)} checks failed. If a deployed connector fails: docs/on-call.md"
        lines += ["", count if failed else "All prerequisites are met"]
        return "\n".join(lines)

    def shown(self) -> list[dict[str, str]]:
        return [{"verdict": verdict.lower(), "check": what, "todo": todo} for verdict, what, todo in self.found]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: all prerequisites are met; 1: some are not. Raises StackError if the config cannot be read."""
    findings = examine(stack, stack.environment.now())
    print(json.dumps(findings.shown(), indent=2, ensure_ascii=False) if options.json else findings.text())
    return 1 if findings.failed else 0


def examine(stack: Stack, now: datetime) -> Findings:
    findings = Findings(now)
    environment = stack.environment
    for problem in stack.config_problems:
        findings.say("FAIL", f"stack config: {problem}", "pulumi up stops at this")
    if not findings.failed:
        findings.say("ok", "stack config: every value is valid")
    if api_tokens(findings, environment):
        allowlist(findings, environment, stack)
    if platform(findings, environment):
        users(findings, environment)
        user_permissions(findings, environment)
        deployed(findings, environment, stack)
        owner(findings, environment, stack)
    scm(findings, stack)
    return findings


def api_tokens(findings: Findings, environment: Environment) -> bool:
    """Whether Dynatrace accepts the deploy token."""
    access = environment.access
    page = f"{access.apps_url}/ui/access-tokens"
    same = access.log_ingest_token in ("", access.api_token)
    works = api_token(
        findings, page, "dynatraceApiToken", DEPLOY_SCOPES + (INGEST_SCOPES if same else ()),
        lambda: environment.deploy_token,
    )  # fmt: skip
    if same:
        findings.say(
            "warn", "logIngestToken is not set: the deploy token itself is stored in the vault for the workflow",
            f"Create a token with only logs.ingest ({page}), then: pulumi config set --secret logIngestToken",
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
        findings.say("FAIL", f"{key}: the token does not exist in this environment", f"Create one: {page}")
        return False
    except TransportError as error:
        findings.say("FAIL", f"{key}: {error}")
        return False
    except DynatraceError as error:
        findings.say("FAIL", f"{key}: {error}", f"Check the token: {page}")
        return False
    problems = tokens.problems(token, needed, findings.now)
    for problem in problems:
        findings.say("FAIL", f"{key}: {problem}", f"Edit or replace the token: {page}")
    if warning := tokens.expires_soon(token, findings.now):
        findings.say("warn", f"{key}: {warning}", "Replace it as described in docs/rotate.md")
    elif not problems:
        owner = token.get("owner", "?")
        findings.say("ok", f"{key}: token {token.get('id', '?')} of {owner} has {', '.join(needed)}")
    return True


def platform(findings: Findings, environment: Environment) -> bool:
    """Whether the OAuth client, or the platform token, may manage workflows."""
    access = environment.access
    key, client, verb, page = "oauthClientId", access.oauth_client_id, "gets tokens with", OAUTH_PAGE
    if access.platform_token:
        key, client, verb, page = "platformToken", environment.platform_token, "has", PLATFORM_PAGE
        if not platform_token(findings, environment):
            return False
    try:
        environment.require_scopes(AUTOMATION_SCOPES)
    except TransportError as error:
        findings.say("FAIL", f"{key}: {error}")
        return False
    except DynatraceError as error:
        findings.say("FAIL", f"{key}: {error}", f"Check it: {page}")
        return False
    findings.say("ok", f"{key}: {client} {verb} {', '.join(AUTOMATION_SCOPES)}")
    scopes = QUERY_SCOPES
    try:
        environment.require_scopes(scopes)
        findings.say("ok", f"{key}: {client} may also read logs ({', '.join(scopes)})")
    except DynatraceError as error:
        findings.say("skip", f"optional: {error}", "Without it, logs, reconcile and the lag in status are unavailable")
    return True


def platform_token(findings: Findings, environment: Environment) -> bool:
    """Whether the platform token is still valid, according to the stack config: it does not tell itself."""
    access = environment.access
    if not access.platform_token_expires:
        findings.say(
            "warn", "platformToken: its expiry is not known",
            "Set the date, to be warned two weeks before: pulumi config set platformTokenExpires 2027-03-31. "
            "If it never expires, ignore this",
        )  # fmt: skip
        return True
    described = tokens.platform_token(access.platform_token, access.platform_token_expires)
    for problem in tokens.problems(described, (), findings.now):
        findings.say("FAIL", f"platformToken: {problem}", f"Create a new one: {PLATFORM_PAGE}")
        return False
    if warning := tokens.expires_soon(described, findings.now):
        findings.say("warn", f"platformToken: {warning}", "Replace it as described in docs/rotate.md")
    return True


def users(findings: Findings, environment: Environment) -> None:
    """Deploy token, OAuth client and workflow: of one user, or of users who can work together."""
    found = identities.read(environment)
    if found.problem or found.warning:
        findings.say("FAIL" if found.problem else "warn", found.problem or found.warning, "See docs/deploy.md, step 2")
    elif found.deployer and found.client:
        findings.say("ok", f"users: {found.shown}")
    else:
        findings.say(
            "skip", "users: the environment does not say which user the OAuth client acts as",
            f"Add the optional scope {READ_USER.scope} to the client, or compare them yourself (docs/deploy.md)",
        )  # fmt: skip


def user_permissions(findings: Findings, environment: Environment) -> None:
    """Permissions of the OAuth client's user, who is also the actor unless workflowActor names another one."""
    page = f"{environment.access.apps_url}/ui/apps/dynatrace.automations/settings"
    asked = [permission for permission in ACTOR_PERMISSIONS if permission.startswith(("automation:", "app-engine:"))]
    try:
        missing = refused_permissions(environment, asked)
    except DynatraceError as error:
        findings.say("skip", f"permissions of the OAuth client's user: {error}", f"Check them: {page}")
        return
    if missing:
        findings.say(
            "FAIL", f"the OAuth client's user lacks {', '.join(missing)}",
            f"A person grants them at {page}; a service user gets them from a policy (docs/deploy.md, step 1)",
        )  # fmt: skip
    else:
        findings.say("ok", f"the OAuth client's user has {', '.join(asked)}")


def refused_permissions(environment: Environment, asked: list[str]) -> list[str]:
    """Those that the user does not have. An OAuth client without the optional scope, and an environment without the
    newer endpoint, are asked by the automation API's own call, which Dynatrace calls deprecated."""
    try:
        return environment.refused_permissions(asked)
    except (LoginFailed, NotFound):
        held = environment.automation.permissions()
        return [permission for permission in asked if permission not in held]


def deployed(findings: Findings, environment: Environment, stack: Stack) -> None:
    """What only a run can prove: the actor's access to the vault, which no API reports."""
    page = f"{environment.access.apps_url}/ui/apps/dynatrace.automations/settings"
    todo = (
        f"The actor needs {', '.join(ACTOR_PERMISSIONS)} (and, for the vault, environment:roles:viewer). No API can "
        f"set them: a person grants them at {page}; a service user gets them from a policy (docs/deploy.md, step 1)"
    )
    if not (known := stack.workflow_id):
        findings.say("skip", "permissions of the workflow's actor: the first run of pulumi up will prove them", todo)
        return
    try:
        workflow = environment.automation.workflow(known)
    except DynatraceError as error:
        findings.say("FAIL", f"the workflow cannot be read: {error}", "See docs/troubleshoot.md")
        return
    if workflow is None:
        findings.say("FAIL", f"workflow {known} was deleted", "Run pulumi up --refresh")
        return
    wanted, actor = stack.config["workflowActor"], workflow.get("actor")
    if wanted and wanted != actor:
        findings.say("FAIL", f"the workflow runs as {actor}, not as workflowActor {wanted}", "Run pulumi up --refresh")
    newest = environment.automation.newest_executions(workflow["id"])
    # Running, cancelled and skipped runs prove nothing.
    ended = [one for one in newest if one["state"] in ("SUCCESS", "ERROR") and not executions.is_backfill(one)]
    ended = ended[:MOST_RUNS]
    failed = ended[0] if ended and ended[0]["state"] == "ERROR" else None
    if not newest:
        findings.say("warn", "the workflow has never run", "Run pulumi up")
    elif failed:
        reason = environment.redact(executions.why_failed(environment.automation, failed))
        forbidden = "403" in reason or "Forbidden" in reason
        findings.say("FAIL", f"the last run failed: {reason}", todo if forbidden else "See docs/troubleshoot.md")
    elif good := executions.last_good(environment.automation, ended):
        findings.say("ok", f"actor {actor} has all permissions that a run needs (proven by run {good['id']})")
    else:
        findings.say(
            "warn", f"no run has proven yet that actor {actor} has all permissions (last run: {newest[0]['state']})",
            f"Check again after a successful run. {todo}",
        )  # fmt: skip


def owner(findings: Findings, environment: Environment, stack: Stack) -> None:
    """Whose the objects are, by their marks."""
    try:
        found = marks.named(environment, stack.config["name"])
    except DynatraceError:
        return  # the token's own check says why
    page = "docs/state-and-upgrades.md, “Who owns an object”"
    if not is_deployed(stack):
        # Recorded by an `up` that stopped later.
        known = str(stack.recorded("access").get("stack") or f"{stack.project}/{stack.name}")
        stopping = marks.that_stop(found, known, stack.config["formerStack"], stack.config["adopt"])
        others = f", like {len(stopping) - 1} more objects of this connector's names," if stopping[1:] else ""
        objects = "".join(f"“{one.name}” ({one.id}){others}" for one in stopping[:1])
        if owners := sorted({one.owner for one in stopping} - {""}):
            findings.say("FAIL", str(foreign(objects, owners, known)), f"pulumi up stops at this. See {page}")
        elif stopping:
            findings.say(
                "FAIL", f"{objects} is already there and belongs to no Pulumi stack",
                "pulumi up stops at this. To take them over, run make adopt (docs/way-in.md); otherwise choose another "
                "name: pulumi config set name “…”",
            )  # fmt: skip
        return
    seen = marks.judged(stack.outputs, stack.outputs.get("owner", ""), found)
    for problem in seen.problems:
        findings.say("FAIL", problem, f"See {page}")
    if not seen.problems:
        findings.say("ok", f"owner of the objects, by their marks: {seen.text}")


def allowlist(findings: Findings, environment: Environment, stack: Stack) -> None:
    page = f"{environment.access.apps_url}/ui/apps/dynatrace.classic.settings (General, External requests)"
    needed = [
        str(urlsplit(stack.config[key]).hostname) for key in ("scmApiUrl", "dynatraceEnvironmentUrl", "scmTokenUrl")
    ]
    try:
        seen = environment.allowlist.read()
    except DynatraceError as error:
        findings.say("FAIL", f"outbound allowlist: {error}", f"Check it: {page}")
        return
    absent = [host for host in dict.fromkeys(needed) if host not in seen.hosts]
    if not seen.enforced:
        findings.say("ok", "outbound allowlist: not enforced, scripts can reach every host")
    elif len(seen.hosts) + len(absent) > MOST_HOSTS:
        findings.say(
            "FAIL",
            f"outbound allowlist: {len(seen.hosts)} of {MOST_HOSTS} hosts, no room for {', '.join(absent)}",
            f"Remove some: {page}",
        )
    elif absent and is_deployed(stack):
        findings.say(
            "FAIL", f"outbound allowlist: {', '.join(absent)} was removed, so runs fail",
            f"Run pulumi up --refresh to add it again; {page} shows who removed it",
        )  # fmt: skip
    elif absent:
        findings.say("ok", f"outbound allowlist: pulumi up will add {', '.join(absent)} ({len(seen.hosts)} listed)")
    else:
        findings.say("ok", f"outbound allowlist: lists {', '.join(dict.fromkeys(needed))}")


def is_deployed(stack: Stack) -> bool:
    try:
        return bool(stack.outputs)
    except StackError:
        return False


def scm(findings: Findings, stack: Stack) -> None:
    """Read from this machine. Whether the script can reach SCM depends on the allowlist."""
    client = Scm.of(stack.config)
    page = "https://cert-manager.com (Integrations, Audit API Keys)"
    try:
        client.login()
        next(client.pages(findings.now - timedelta(minutes=10), findings.now), None)
    except ScmError as error:
        findings.say("FAIL", f"sectigoClientId: {error}", f"Check the API key: {page}")
    except DynatraceError as error:
        findings.say(
            "warn", f"SCM cannot be reached from this machine: {error}", "The workflow may still be able to reach it"
        )
    else:
        findings.say("ok", f"SCM audit API {client.api_url}: the key is accepted and records can be read")
