"""Every scope and permission that this project asks for, in one table: who must have it, and what fails without it.

Resources declare their needs from it. The preflight, ``make doctor`` and previews without secrets read it; README,
docs/security.md, Pulumi.yaml and the seed of the local environment are tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Holder = Literal["dynatraceApiToken", "logIngestToken", "oauthClientId", "actor", "oauthClientUser"]
"""Who has the scope: a credential by its config key, the workflow's actor, or the OAuth client's user. A platform
token, where it replaces the OAuth client, has the same scopes."""


@dataclass(frozen=True)
class Need:
    """One scope of one holder. Optional ones say what is not available ``without`` them."""

    holder: Holder
    scope: str
    required: bool = True
    without: str = ""
    commands: tuple[str, ...] = ()
    """``make`` commands that need an optional scope."""
    when: str = ""
    """Config key that makes it necessary, where it is not always."""
    box: Literal["", "primary", "secondary"] = ""
    """Where a person ticks it on the workflow settings page (manual: “Enable workflow permissions in Dynatrace”)."""


VAULT_READ = Need("dynatraceApiToken", "credentialVault.read")
VAULT_WRITE = Need("dynatraceApiToken", "credentialVault.write")
SETTINGS_READ = Need("dynatraceApiToken", "settings.read")
SETTINGS_WRITE = Need("dynatraceApiToken", "settings.write")

LOGS_INGEST = Need("logIngestToken", "logs.ingest")

WORKFLOWS_READ = Need("oauthClientId", "automation:workflows:read")
WORKFLOWS_WRITE = Need("oauthClientId", "automation:workflows:write")
WORKFLOWS_RUN = Need("oauthClientId", "automation:workflows:run")

READING_LOGS = ("logs", "reconcile", "status")
NO_LOGS = "make logs, make reconcile, and checkpoint and lag in make status"
LOGS_READ = Need("oauthClientId", "storage:logs:read", required=False, without=NO_LOGS, commands=READING_LOGS)
BUCKETS_READ = Need("oauthClientId", "storage:buckets:read", required=False, without=NO_LOGS, commands=READING_LOGS)

DASHBOARD = tuple(
    Need("oauthClientId", scope, required=False, without="the dashboard", when="dashboard")
    for scope in ("document:documents:read", "document:documents:write", "document:documents:delete")
)
TRASH = tuple(
    Need(
        "oauthClientId", scope, required=False,
        without="removing a deleted dashboard from the trash, where Dynatrace keeps it for 30 days",
    )
    for scope in ("document:trash.documents:read", "document:trash.documents:delete")
)  # fmt: skip
DETECTORS = tuple(
    Need("oauthClientId", scope, required=False, without="the anomaly detectors", when="alerts")
    for scope in ("settings:objects:read", "settings:objects:write", "settings:schemas:read")
)
BUCKETS = Need(
    "oauthClientId", "storage:bucket-definitions:read", required=False,
    without="the bucket's retention in make status", commands=("status",),
)  # fmt: skip
RESOLVE = Need(
    "oauthClientId", "app-engine:functions:run", required=False, commands=("doctor",),
    without="the check of what the user may do, in make doctor",
)  # fmt: skip
"""Lets a token ask what it may do (``permissions``). A platform token needs it: nothing else tells its scopes."""
API_TOKENS_WRITE = Need(
    "oauthClientId", "environment-api:api-tokens:write", required=False, without="make api-token",
    commands=("api-token",),
)  # fmt: skip
READ_USER = Need(
    "oauthClientId", "app-engine:apps:run", required=False, commands=("doctor",),
    without="the comparison of users before the first write, and in make doctor",
)  # fmt: skip
"""Lets a client ask which user it acts as."""

ACTOR = (
    Need("actor", "app-engine:functions:run", box="primary"),
    Need(
        "actor", "automation:workflows:read", required=False, box="secondary",
        without="the platform's answer whether the lock's owner is still running; the lock's lease decides",
    ),
    Need(
        "actor", "automation:workflows:run", required=False, box="secondary",
        without="the immediate continuation of a catch-up; it waits for the next schedule",
    ),
    Need("actor", "environment-api:credentials:read", box="secondary"),
    Need("actor", "environment-api:credentials:write", box="secondary"),
    Need("actor", "environment:roles:viewer"),
    Need("actor", "storage:logs:read", required=False, when="alerts", without="what the detectors query"),
    Need("actor", "storage:buckets:read", required=False, when="alerts", without="what the detectors query"),
    Need("actor", "storage:events:read", required=False, when="alertEmails", without="the notification of a problem"),
    Need("actor", "email:emails:send", required=False, when="alertEmails", without="the notification of a problem"),
)  # fmt: skip

NAME_ACTOR = Need("oauthClientUser", "iam:service-users:use", when="workflowActor")

TABLE = (
    VAULT_READ,
    VAULT_WRITE,
    SETTINGS_READ,
    SETTINGS_WRITE,
    LOGS_INGEST,
    WORKFLOWS_READ,
    WORKFLOWS_WRITE,
    WORKFLOWS_RUN,
    LOGS_READ,
    BUCKETS_READ,
    *DASHBOARD,
    *TRASH,
    *DETECTORS,
    BUCKETS,
    RESOLVE,
    API_TOKENS_WRITE,
    READ_USER,
    *ACTOR,
    NAME_ACTOR,
)


def scopes_of(holder: Holder, *, required: bool | None = True) -> tuple[str, ...]:
    """The scopes of one holder: the required ones, the optional ones (False) or all (None)."""
    return tuple(need.scope for need in TABLE if need.holder == holder and required in (None, need.required))


DEPLOY_SCOPES = scopes_of("dynatraceApiToken")
INGEST_SCOPES = scopes_of("logIngestToken")
AUTOMATION_SCOPES = scopes_of("oauthClientId")
RESOLVE_SCOPES = (*AUTOMATION_SCOPES, RESOLVE.scope)
"""A token is told about the permissions that it carries itself, so it has to carry those that it asks about."""
TOKEN_SCOPES = (API_TOKENS_WRITE.scope,)
QUERY_SCOPES = (LOGS_READ.scope, BUCKETS_READ.scope)
"""Asked for in a token request of their own: one ungranted scope fails a whole request."""
DOCUMENT_SCOPES, TRASH_SCOPES, DETECTOR_SCOPES = (
    tuple(need.scope for need in needs) for needs in (DASHBOARD, TRASH, DETECTORS)
)
FEATURES = {"dashboard": DOCUMENT_SCOPES, "alerts": DETECTOR_SCOPES}
"""What the OAuth client must have for each feature that a stack uses, by config key."""
IDENTITY_SCOPES = (READ_USER.scope,)
ACTOR_BOXES = ", ".join(f"{need.scope} ({need.box})" for need in ACTOR if need.box)
"""What a person ticks, in words."""
