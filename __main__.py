"""Sectigo SCM audit logs into Dynatrace: the eleven steps of the manual, as resources."""

import hashlib

import pulumi

from providers.allowlist import OutboundAllowlist
from providers.configuration import Settings
from providers.credential import ConfigCredential, StateCredential, TokenCredential, UserCredential
from providers.workflow import Workflow
from providers.workflow_run import WorkflowRun
from workflow_src.render import definition, script_template

# [1/11] Read and check the configuration
settings = Settings.from_stack()
place = settings.place
dynatrace = pulumi.ProviderResource("pulumi-python", "dynatrace", settings.access)

# [3/11] SCM OAuth credential; before step 2, as its description claims the hosts that step 2 adds
scm = UserCredential(
    "scm",
    settings.entry("scm", "OAuth", "OAuth client for the Sectigo SCM audit API."),
    user=settings.sectigo_client_id,
    password=settings.sectigo_client_secret,
    hosts=settings.outbound_hosts,
    opts=pulumi.ResourceOptions(provider=dynatrace),
)

# [2/11] Outbound allowlist
allowlist = OutboundAllowlist(
    "allowlist",
    place,
    hosts=settings.outbound_hosts,
    opts=pulumi.ResourceOptions(provider=dynatrace, depends_on=[scm]),
)
and_then = pulumi.ResourceOptions(provider=dynatrace, depends_on=[allowlist])

# [4/11] Dynatrace API token credential
log_ingest = TokenCredential(
    "log-ingest",
    settings.entry("logIngest", "Log Ingest Token", "API token with which audit records are sent to log ingest."),
    token=settings.log_ingest_token,
    opts=and_then,
)

# [5/11] Checkpoint credential
checkpoint = StateCredential(
    "checkpoint",
    settings.entry("checkpoint", "Checkpoint", "Where the sync script stands. Written by the workflow."),
    first_value="NONE",
    workflow=settings.workflow_title,
    missed=settings.missed_without_checkpoint,
    opts=pulumi.ResourceOptions.merge(and_then, pulumi.ResourceOptions(retain_on_delete=settings.keep_checkpoint)),
)

# [6/11] Execution lock credential
execution_lock = StateCredential(
    "execution-lock",
    settings.entry("executionLock", "Execution Lock", "Which run is at work. Written by the workflow."),
    first_value="IDLE",
    workflow=settings.workflow_title,
    opts=and_then,
)

# [7/11] Workflow configuration credential
workflow_config = ConfigCredential(
    "workflow-config",
    settings.entry("workflowConfig", "Workflow Config", "Runtime configuration (JSON), editable without redeployment."),
    value=settings.runtime_config,
    opts=and_then,
)

# [8/11] Credential IDs into the script, [9/11] workflow, [10/11] schedule trigger
script = script_template()
ids = {
    "scmCredentialId": scm.id,
    "logIngestCredentialId": log_ingest.id,
    "checkpointCredentialId": checkpoint.id,
    "executionLockCredentialId": execution_lock.id,
    "workflowConfigCredentialId": workflow_config.id,
}
workflow = Workflow(
    "workflow",
    place,
    name=settings.workflow_title,
    purpose="Sends Sectigo SCM audit records to Dynatrace logs.",
    script=script,
    definition=definition(),
    parameters=settings.script_parameters,
    ids=ids,
    schedule=settings.schedule,
    private=settings.workflow_private,
    actor=settings.workflow_actor,
    adopt=settings.adopted("workflow"),
    opts=and_then,
)

# [11/11] One run of each new revision, awaited and judged
revision = pulumi.Output.json_dumps({"script": script, "parameters": settings.script_parameters, "ids": ids}).apply(
    lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
)
first_run = WorkflowRun(
    "first-run",
    place,
    workflow=workflow.id,
    revision=revision,
    checkpoint=checkpoint.id,
    executions_url=f"{settings.automations_url}/executions",
    show_log=settings.show_run_log,
    opts=and_then,
)

# Summary
pulumi.export("scmCredentialId", scm.id)
pulumi.export("logIngestCredentialId", log_ingest.id)
pulumi.export("checkpointCredentialId", checkpoint.id)
pulumi.export("executionLockCredentialId", execution_lock.id)
pulumi.export("workflowConfigCredentialId", workflow_config.id)
pulumi.export("workflowId", workflow.id)
pulumi.export("workflowUrl", pulumi.Output.concat(settings.automations_url, "/workflows/", workflow.id))
pulumi.export("schedule", settings.schedule_shown)
pulumi.export("firstRun", {"execution": first_run.execution, "outcome": first_run.outcome})
pulumi.export("logQuery", 'fetch logs | filter log.source == "sectigo-scm" | sort timestamp desc | limit 100')
