"""Sectigo SCM audit logs into Dynatrace: the eleven steps of the manual, as resources."""

import hashlib
from dataclasses import replace
from typing import Any

import pulumi

from providers.access import DeploymentAccess
from providers.allowlist import OutboundAllowlist
from providers.anomaly_detector import AnomalyDetector
from providers.configuration import Settings
from providers.credential import ConfigCredential, StateCredential, TokenCredential, UserCredential
from providers.dashboard import Dashboard
from providers.lifecycle import guard, keep_secret, owner, pulumi_provider, resolved
from providers.notification import Notification
from providers.parts import (
    CHECKPOINT,
    DASHBOARD,
    EMAIL,
    EXECUTION_LOCK,
    LOG_INGEST,
    SCM,
    SILENCE,
    SLACK,
    WORKFLOW,
    WORKFLOW_CONFIG,
)
from providers.readme import stack_readme
from providers.workflow import Workflow
from providers.workflow_run import WorkflowRun, newest
from workflow_src.check import checked
from workflow_src.render import definition, script_template
from workflow_src.watch import dashboard, detectors, notification, silence

# [1/11] Read and check the configuration
settings = Settings.from_stack()
keep_secret(settings.texts_to_hide, settings.secret_inputs)
dynatrace = pulumi_provider("dynatrace", settings.access, settings.texts_to_hide)
settings = replace(settings, owner=resolved(owner(dynatrace)))
values, place = settings.values, settings.place

# The deployment's own credentials are tried before anything is changed
access = DeploymentAccess("access", place, settings.access, opts=pulumi.ResourceOptions(provider=dynatrace))

# [3/11] SCM OAuth credential; before step 2, as its description claims the hosts that step 2 adds
scm = UserCredential(
    "scm",
    settings.entry(SCM),
    user=values["sectigoClientId"],
    password=values["sectigoClientSecret"],
    token_url=values["scmTokenUrl"],
    hosts=settings.outbound_hosts,
    opts=pulumi.ResourceOptions(provider=dynatrace, depends_on=[access]),
)

# [2/11] Outbound allowlist
allowlist = OutboundAllowlist(
    "allowlist",
    place,
    hosts=settings.outbound_hosts,
    entry=scm.id,
    opts=pulumi.ResourceOptions(provider=dynatrace, depends_on=[scm]),
)
after_allowlist = pulumi.ResourceOptions(provider=dynatrace, depends_on=[allowlist])
protected = pulumi.ResourceOptions.merge(after_allowlist, pulumi.ResourceOptions(protect=values["protectState"]))

# [4/11] Dynatrace API token credential
log_ingest = TokenCredential(
    "log-ingest", settings.entry(LOG_INGEST), token=settings.log_ingest_token, opts=after_allowlist
)

# [5/11] Checkpoint credential
checkpoint = StateCredential(
    "checkpoint",
    settings.entry(CHECKPOINT),
    first_value="NONE",
    workflow=settings.workflow_title,
    missed=settings.missed_without_checkpoint,
    opts=pulumi.ResourceOptions.merge(protected, pulumi.ResourceOptions(retain_on_delete=values["keepCheckpoint"])),
)

# [6/11] Execution lock credential
execution_lock = StateCredential(
    "execution-lock",
    settings.entry(EXECUTION_LOCK),
    first_value="IDLE",
    workflow=settings.workflow_title,
    opts=protected,
)

# [7/11] Workflow configuration credential
workflow_config = ConfigCredential(
    "workflow-config", settings.entry(WORKFLOW_CONFIG), value=settings.runtime_config, opts=after_allowlist
)

# [8/11] Credential IDs into the script, [9/11] workflow, [10/11] schedule trigger
credentials = {
    SCM: scm,
    LOG_INGEST: log_ingest,
    CHECKPOINT: checkpoint,
    EXECUTION_LOCK: execution_lock,
    WORKFLOW_CONFIG: workflow_config,
}
ids = {part.parameter: credential.id for part, credential in credentials.items()}
script = checked(script_template())
workflow = Workflow(
    "workflow",
    place,
    name=settings.workflow_title,
    purpose=WORKFLOW.purpose,
    script=script,
    definition=definition(),
    parameters=settings.script_parameters,
    ids=ids,
    schedule=settings.schedule,
    private=values["workflowPrivate"],
    actor=values["workflowActor"],
    adopt=settings.adopted(WORKFLOW),
    opts=after_allowlist,
)

# [11/11] One run of each new revision; `pulumi up` waits for it
revision = pulumi.Output.json_dumps({"script": script, "parameters": settings.script_parameters, "ids": ids}).apply(
    lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
)
first_run = WorkflowRun(
    "first-run",
    place,
    workflow=workflow.id,
    revision=revision,
    checkpoint=checkpoint.id,
    credentials=pulumi.Output.all(scm.written, log_ingest.written).apply(newest),
    executions_url=f"{settings.automations_url}/executions",
    show_log=values["showRunLog"],
    opts=protected,  # `destroy` deletes it before the rest of the connector, so that it stops there
)

# Watching, as the stack config asks for it; after the first run, before which silence is no problem
after_first_run = pulumi.ResourceOptions(provider=dynatrace, depends_on=[first_run])
watched = detectors.record_detectors(values["detections"], values["triggerIntervalMinutes"])
if values["alerts"]:
    watched += detectors.own_detectors(values["triggerIntervalMinutes"])
told = {}
if watched and values["alertEmails"]:
    told[EMAIL] = notification.email_task(values["alertEmails"])
if watched and values["alertSlack"]:
    told[SLACK] = notification.slack_task(**values["alertSlack"])
dashboards: dict[str, pulumi.Input[Any]] = {}
if values["dashboard"]:
    board = Dashboard(
        "dashboard",
        place,
        name=settings.name_of(DASHBOARD),
        purpose=DASHBOARD.purpose,
        document_id=settings.document_id,
        content=dashboard.content(),
        workflow=workflow.id,
        opts=after_first_run,
    )
    # By the live ID: a renamed stack keeps its dashboard.
    board_url = pulumi.Output.concat(guard("dashboardUrl", f"{settings.dashboards_url}/"), board.id)
    dashboards = {DASHBOARD.output: board.id, "dashboardUrl": board_url}
for detector in watched:
    AnomalyDetector(
        f"detector-{detector.key}",
        place,
        name=f"{values['name']} {detector.title}",
        event_name=notification.event_name(values["name"], detector.title),
        detector=detector,
        workflow=workflow.id,
        actor=values["workflowActor"],
        enabled=values["triggerEnabled"] or detector.key != "silent",  # a paused connector is silent on purpose
        opts=after_first_run,
    )
notifications = {
    part: Notification(
        part.key,
        place,
        name=settings.name_of(part),
        purpose=part.purpose,
        definition=notification.definition(values["name"], task),
        actor=values["workflowActor"],
        opts=after_first_run,
    )
    for part, task in told.items()
}
if values["alerts"] and told and not detectors.silence_fits(values["triggerIntervalMinutes"]):
    notifications[SILENCE] = Notification(
        "silence",
        place,
        name=settings.name_of(SILENCE),
        purpose=SILENCE.purpose,
        definition=workflow.id.apply(
            lambda found: silence.definition(
                values["name"], found, values["triggerIntervalMinutes"], list(told.values()), values["triggerEnabled"]
            )
        ),
        actor=values["workflowActor"],
        opts=after_first_run,
    )

# Summary
workflows_url = guard("workflowUrl", f"{settings.automations_url}/workflows/")
outputs: dict[str, pulumi.Input[Any]] = {
    **{part.output: credential.id for part, credential in credentials.items()},
    WORKFLOW.output: workflow.id,
    "workflowUrl": pulumi.Output.concat(workflows_url, workflow.id),
    "schedule": guard("schedule", settings.schedule_shown),
    "firstRun": {"execution": first_run.execution, "outcome": first_run.outcome},
    "logQuery": 'fetch logs | filter log.source == "sectigo-scm" | sort timestamp desc | limit 100',
    "owner": settings.owner,
    **dashboards,
    **{part.output: told_by.id for part, told_by in notifications.items()},
}
outputs["readme"] = pulumi.Output.all(**outputs).apply(lambda known: stack_readme(settings.stack, known))
for name, value in outputs.items():
    pulumi.export(name, value)
