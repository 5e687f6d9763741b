"""The stack config: every key, its rule, and all problems at once.

Types, defaults and descriptions are in Pulumi.yaml too, where Pulumi checks them before the program starts; what a
value must look like is checked here, before the first API call. No message ever shows a secret. This is the lowest
layer: it knows no resource, and no Pulumi but for where the config comes from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypedDict, cast
from urllib.parse import urlsplit

from .parts import BY_KEY, WORKFLOW, Part
from .rules import (
    LIMITS,
    apps_url_of,
    attribute,
    between,
    boolean,
    duration,
    emails,
    environment_url,
    history,
    iso_time,
    optional,
    present,
    sso_token_url_of,
    starting,
    title,
    token_url,
    url,
    uuid,
)

# UNVERIFIED for the audit API; it is the documented address of Sectigo's other APIs.
SCM_TOKEN_URL = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token"
LONGEST_WATCHED_INTERVAL = 20
"""Minutes; three intervals must fit into the window of an anomaly detector."""
LOG_AGE_LIMIT = timedelta(hours=24)
"""Log ingest refuses or drops older records."""


def adoptions(text: str) -> dict[str, str]:
    form = "must be an object of IDs, like {scm: CREDENTIALS_VAULT-...}"
    given = an_object(text, form)
    if not all(isinstance(id, str) for id in given.values()):
        raise ValueError(form)
    if unknown := sorted(given.keys() - BY_KEY.keys()):
        raise ValueError(f"knows {', '.join(BY_KEY)}, not {', '.join(unknown)}")
    return given


DETECTIONS = (
    "failedSignIns", "revocations", "administrators", "apiKeys", "access", "policies", "wildcards", "notifications",
)  # fmt: skip
"""What can be detected in the audit records; ``workflow_src/watch/detectors.yaml`` says how."""


def detections(text: str) -> dict[str, int]:
    """The number of records that opens a problem, by detection."""
    found = an_object(text, "must be an object of numbers, like {failedSignIns: 10, apiKeys: 1}")
    if unknown := sorted(found.keys() - set(DETECTIONS)):
        raise ValueError(f"knows {', '.join(DETECTIONS)}, not {', '.join(unknown)}")
    return {name: between(1, 100_000)(str(number)) for name, number in found.items()}


def slack(text: str) -> dict[str, str]:
    """The Slack connection and channel to tell of problems; empty for none."""
    found = an_object(text, SLACK_FORM)
    if found and (found.keys() != {"connection", "channel"} or not all(isinstance(one, str) for one in found.values())):
        raise ValueError(SLACK_FORM)
    return found


SLACK_FORM = "must have the form {connection: ID, channel: NAME}"


def an_object(text: str, form: str) -> dict[str, Any]:
    """A config object; Pulumi passes it as JSON. ``form``: what to say of anything else."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ValueError(form)
    return given


@dataclass(frozen=True)
class Key:
    """One key of the stack config. ``default`` None: required."""

    rule: Callable[[str], Any]
    default: str | None = None
    secret: bool = False


KEYS: dict[str, Key] = {
    "dynatraceEnvironmentUrl": Key(environment_url),
    "dynatraceApiToken": Key(starting("dt0c01."), secret=True),
    "oauthClientId": Key(starting("dt0s02.")),
    "oauthClientSecret": Key(starting("dt0s02."), secret=True),
    "accountUrn": Key(starting("urn:dtaccount:")),
    "scmApiUrl": Key(url),
    "sectigoClientId": Key(uuid),
    "sectigoClientSecret": Key(present, secret=True),
    "maxRetries": Key(between(0, LIMITS.retries), "3"),
    "maxExecutionTimeMinutes": Key(between(1, 720), "55"),
    "initHistoryDuration": Key(history, "2h"),
    "initialCheckpoint": Key(optional(iso_time), ""),
    "triggerIntervalMinutes": Key(between(1, 720), "10"),
    "triggerEnabled": Key(boolean, "true"),
    "name": Key(title, "Sectigo SCM"),
    "appsUrl": Key(optional(url), ""),
    "ssoTokenUrl": Key(optional(token_url), ""),
    "scmTokenUrl": Key(token_url, SCM_TOKEN_URL),
    "logIngestToken": Key(optional(starting("dt0c01.")), "", secret=True),
    "workflowActor": Key(optional(uuid), ""),
    "workflowPrivate": Key(boolean, "false"),
    "credentialsOwnerOnly": Key(boolean, "false"),
    "keepCheckpoint": Key(boolean, "false"),
    "showRunLog": Key(boolean, "true"),
    "dashboard": Key(boolean, "false"),
    "alerts": Key(boolean, "false"),
    "alertEmails": Key(emails, ""),
    "alertSlack": Key(slack, "{}"),
    "detections": Key(detections, "{}"),
    "auditRetentionDays": Key(between(0, 3657), "0"),
    "securityContext": Key(optional(attribute), ""),
    "costCenter": Key(optional(attribute), ""),
    "costProduct": Key(optional(attribute), ""),
    "adopt": Key(adoptions, "{}"),
}


class Values(TypedDict):
    """Checked config values, by key: what the rules of ``KEYS`` return."""

    dynatraceEnvironmentUrl: str
    dynatraceApiToken: str
    oauthClientId: str
    oauthClientSecret: str
    accountUrn: str
    scmApiUrl: str
    sectigoClientId: str
    sectigoClientSecret: str
    maxRetries: int
    maxExecutionTimeMinutes: int
    initHistoryDuration: str
    initialCheckpoint: str
    triggerIntervalMinutes: int
    triggerEnabled: bool
    name: str
    appsUrl: str
    ssoTokenUrl: str
    scmTokenUrl: str
    logIngestToken: str
    workflowActor: str
    workflowPrivate: bool
    credentialsOwnerOnly: bool
    keepCheckpoint: bool
    showRunLog: bool
    dashboard: bool
    alerts: bool
    alertEmails: list[str]
    alertSlack: dict[str, str]
    detections: dict[str, int]
    auditRetentionDays: int
    securityContext: str
    costCenter: str
    costProduct: str
    adopt: dict[str, str]


def read(given: dict[str, str], plain: AbstractSet[str] = frozenset()) -> Values:
    """Check raw config values; returns them by key. ``plain``: keys that are stored in plaintext.

    Raises ValueError that lists every problem, by key.
    """
    problems = [f"{key}: unknown setting" for key in sorted(set(given) - set(KEYS))]
    values: dict[str, Any] = {}
    for name, key in KEYS.items():
        text = given.get(name, key.default)
        if text is None:
            flag = "--secret " if key.secret else ""
            problems.append(f"{name}: is missing; pulumi config set {flag}{name} VALUE")
            continue
        if key.secret and text and name in plain:
            problems.append(f"{name}: is in plaintext in the stack file; pulumi config set --secret {name} VALUE")
        try:
            values[name] = key.rule(text)
        except ValueError as problem:
            problems.append(f"{name}: {problem}")
    if problems:
        raise ValueError("The stack configuration has problems:" + "".join(f"\n  - {problem}" for problem in problems))
    return cast(Values, values)


# --- what the layers above work with ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    """Addresses of one environment, and the credentials for it. The field names are part of every stack's state.

    ``log_ingest_token`` is only looked up, never used.
    """

    environment_url: str
    apps_url: str
    sso_token_url: str
    api_token: str = field(repr=False)
    oauth_client_id: str
    oauth_client_secret: str = field(repr=False)
    account_urn: str
    log_ingest_token: str = field(repr=False)
    features: str = ""
    """The optional features that the stack uses, separated by spaces: keys of ``scopes.FEATURES``. They decide which
    scopes the preflight asks for."""

    @property
    def secrets(self) -> list[str]:
        return [self.api_token, self.oauth_client_secret, self.log_ingest_token]


SECRET_ACCESS = ("api_token", "oauth_client_secret", "log_ingest_token")


def access_of(values: Values) -> Access:
    environment_url = values["dynatraceEnvironmentUrl"]
    return Access(
        environment_url=environment_url,
        apps_url=values["appsUrl"] or apps_url_of(environment_url),
        sso_token_url=values["ssoTokenUrl"] or sso_token_url_of(environment_url),
        api_token=values["dynatraceApiToken"],
        oauth_client_id=values["oauthClientId"],
        oauth_client_secret=values["oauthClientSecret"],
        account_urn=values["accountUrn"],
        log_ingest_token=values["logIngestToken"] or values["dynatraceApiToken"],
        features=features_of(values),
    )


def features_of(values: Values) -> str:
    used = {"dashboard": values["dashboard"], "alerts": values["alerts"] or values["detections"]}
    return " ".join(feature for feature, on in used.items() if on)


class Properties(TypedDict):
    """What every resource stores: where its object is and whose it is."""

    environment: str
    """The environment's URL."""
    connector: str
    """Prefix of every object's name."""
    stack: str
    """``project/stack``, the mark in descriptions."""


class EntryProperties(Properties):
    """What every vault entry stores."""

    name: str
    purpose: str
    ownerAccessOnly: bool
    adoptKey: str
    """``Part.key``."""
    adopt: str
    """ID of an existing entry to take over, or empty."""


class ScriptParameters(TypedDict):
    """The script's parameters that are no credential IDs."""

    environmentUrl: str
    scmApiUrl: str
    scmTokenUrl: str
    maxExecutionTimeMinutes: int
    attributes: dict[str, str]
    """What every record gets besides what SCM sends."""


class Schedule(TypedDict):
    intervalMinutes: int
    isActive: bool


@dataclass(frozen=True)
class Settings:
    """The checked stack config, in the program's terms."""

    values: Values = field(repr=False)
    project: str
    stack: str

    @classmethod
    def from_stack(cls) -> Settings:
        """Read the config of the stack that is being deployed; stops the program with all problems at once."""
        import pulumi

        from .sdk_internals import stack_config

        project = pulumi.get_project()
        try:
            settings = cls(read(*stack_config(project)), project, pulumi.get_stack())
        except ValueError as problems:
            raise pulumi.RunError(str(problems)) from None
        for text in settings.warnings:
            pulumi.log.warn(text)
        return settings

    @property
    def warnings(self) -> list[str]:
        values, found = self.values, []
        history = values["initHistoryDuration"]
        if duration(history) > LOG_AGE_LIMIT:
            found.append(
                f"initHistoryDuration {history}: Dynatrace refuses log records older than "
                f"{LOG_AGE_LIMIT // timedelta(hours=1)} h. Older audit records are sent with the current time; the "
                "original timestamp is in scm.event.timestamp"
            )
        if (values["alertEmails"] or values["alertSlack"]) and "alerts" not in self.access.features:
            found.append("alertEmails and alertSlack have no effect without alerts or detections")
        if values["alerts"] and values["triggerIntervalMinutes"] > LONGEST_WATCHED_INTERVAL:
            found.append(
                f"alerts: silence is not watched, because a detector sees {3 * LONGEST_WATCHED_INTERVAL} minutes and "
                f"triggerIntervalMinutes is {values['triggerIntervalMinutes']}; see docs/watch.md"
            )
        return found

    @property
    def access(self) -> Access:
        return access_of(self.values)

    @property
    def place(self) -> Properties:
        return {
            "environment": self.values["dynatraceEnvironmentUrl"],
            "connector": self.values["name"],
            "stack": f"{self.project}/{self.stack}",
        }

    def entry(self, part: Part) -> EntryProperties:
        """What all vault entries of this stack have in common, for one of them."""
        return {
            **self.place,
            "name": self.name_of(part),
            "purpose": part.purpose,
            "ownerAccessOnly": self.values["credentialsOwnerOnly"],
            "adoptKey": part.key,
            "adopt": self.adopted(part),
        }

    def name_of(self, part: Part) -> str:
        """The object's full name: the connector's name and the part's."""
        return f"{self.values['name']} {part.name}"

    def adopted(self, part: Part) -> str:
        """ID of the existing object to take over, or empty."""
        return self.values["adopt"].get(part.key, "")

    @property
    def workflow_title(self) -> str:
        return self.name_of(WORKFLOW)

    @property
    def log_ingest_token(self) -> str:
        return self.access.log_ingest_token

    @property
    def outbound_hosts(self) -> list[str]:
        """Hosts the script must reach. Exact names are listed beside the wildcard, whose depth is not documented."""
        values = self.values
        addresses = [values["scmApiUrl"], values["dynatraceEnvironmentUrl"], values["scmTokenUrl"]]
        hosts = [str(urlsplit(address).hostname) for address in addresses]
        return list(dict.fromkeys([*hosts, "*.sectigo.com"]))

    @property
    def runtime_config(self) -> str:
        """What customers may edit in the vault later, as JSON text."""
        values = self.values
        runtime = {
            "maxRetries": values["maxRetries"],
            "initHistoryDuration": values["initHistoryDuration"],
            "initialCheckpoint": values["initialCheckpoint"],
        }
        return json.dumps({name: value for name, value in runtime.items() if value != ""})

    @property
    def missed_without_checkpoint(self) -> str:
        return (
            f"Records older than initHistoryDuration ({self.values['initHistoryDuration']}) that had not been sent "
            "are a possible gap in the logs; set initialCheckpoint to go further back"
        )

    @property
    def script_parameters(self) -> ScriptParameters:
        values = self.values
        attributes = {
            "dt.security_context": values["securityContext"],
            "dt.cost.costcenter": values["costCenter"],
            "dt.cost.product": values["costProduct"],
        }
        return {
            "environmentUrl": values["dynatraceEnvironmentUrl"],
            "scmApiUrl": values["scmApiUrl"],
            "scmTokenUrl": values["scmTokenUrl"],
            "maxExecutionTimeMinutes": values["maxExecutionTimeMinutes"],
            "attributes": {key: text for key, text in attributes.items() if text},
        }

    @property
    def schedule(self) -> Schedule:
        return {"intervalMinutes": self.values["triggerIntervalMinutes"], "isActive": self.values["triggerEnabled"]}

    @property
    def schedule_shown(self) -> str:
        if not self.values["triggerEnabled"]:
            return "off"
        minutes = self.values["triggerIntervalMinutes"]
        return f"Every {minutes} minutes" if minutes > 1 else "Every minute"

    @property
    def document_id(self) -> str:
        """The dashboard's ID: the same on every deployment, so that a lost state creates no second one."""
        digest = hashlib.sha256("\0".join((self.project, self.stack, self.values["name"])).encode()).hexdigest()
        words = re.sub(r"[^a-z0-9]+", "-", f"{self.stack} {self.values['name']}".lower()).strip("-")
        return f"scm-audit-{words[:60].strip('-')}-{digest[:8]}"

    @property
    def dashboard_url(self) -> str:
        return f"{self.access.apps_url}/ui/apps/dynatrace.dashboards/dashboard/{self.document_id}"

    @property
    def automations_url(self) -> str:
        return f"{self.access.apps_url}/ui/apps/dynatrace.automations"
