"""What a connector consists of, in one table: the names by which config, state, script and people refer to each part.

Everything that needs one of these names reads it here: the program, the ``adopt`` config, the script's parameters,
look-up after a lost state, and the commands in ``operations``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One Dynatrace object of a connector."""

    key: str
    """Under ``adopt`` in the stack config."""
    name: str
    """Words after the connector's name: ``Sectigo SCM`` + ``OAuth``."""
    purpose: str
    """What it is for; part of its description. Stored in every stack's state, so a new wording is a change."""
    output: str
    """The stack output that holds its ID."""
    parameter: str = ""
    """The script's parameter that holds its ID. Empty: the script does not know it."""


def credential(key: str, name: str, purpose: str, id_name: str) -> Part:
    """A vault entry: stack output and script parameter have one name."""
    return Part(key, name, purpose, output=id_name, parameter=id_name)


SCM = credential("scm", "OAuth", "OAuth client for the Sectigo SCM audit API.", "scmCredentialId")
LOG_INGEST = credential(
    "logIngest",
    "Log Ingest Token",
    "API token with which audit records are sent to log ingest.",
    "logIngestCredentialId",
)
CHECKPOINT = credential(
    "checkpoint", "Checkpoint", "Where the sync script stands. Written by the workflow.", "checkpointCredentialId"
)
EXECUTION_LOCK = credential(
    "executionLock", "Execution Lock", "Which run is at work. Written by the workflow.", "executionLockCredentialId"
)
WORKFLOW_CONFIG = credential(
    "workflowConfig",
    "Workflow Config",
    "Runtime configuration (JSON), editable without redeployment.",
    "workflowConfigCredentialId",
)
WORKFLOW = Part("workflow", "Integration", "Sends Sectigo SCM audit records to Dynatrace logs.", output="workflowId")

DASHBOARD = Part("dashboard", "Audit", "Shows the audit records and the connector that ships them.", "dashboardId")
EMAIL = Part("alertEmails", "Alert E-Mail", "Tells people by e-mail when a problem opens.", "alertEmailWorkflowId")
SLACK = Part("alertSlack", "Alert Slack", "Tells people in Slack when a problem opens.", "alertSlackWorkflowId")
SILENCE = Part("alerts", "Silence Check", "Tells people when the connector is silent.", "silenceWorkflowId")
WATCH = (DASHBOARD, EMAIL, SLACK, SILENCE)
"""Optional objects; ``key`` is the config key that asks for them. They are never adopted."""

CREDENTIALS = (SCM, LOG_INGEST, CHECKPOINT, EXECUTION_LOCK, WORKFLOW_CONFIG)
PARTS = (*CREDENTIALS, WORKFLOW)
BY_KEY = {part.key: part for part in PARTS}
