"""``test-alert``: open a problem on purpose and wait until the notification workflow has notified people."""

from __future__ import annotations

import argparse
import time
from typing import Any, cast

from providers import parts
from providers.anomaly_detector import AnomalyDetectorProperties, inputs, is_ours, value
from providers.api.automation import FINAL_STATES, Json
from providers.api.environment import Environment
from providers.configuration import Settings
from workflow_src.watch.detectors import alert_test
from workflow_src.watch.notification import event_name

from .stack import Stack, StackError

LONGEST_WAIT_S = 300.0
"""A detector is evaluated every minute, of a minute before the present one."""
CHECK_EVERY_S = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(stack: Stack, _options: argparse.Namespace) -> int:
    """0: people were told; 1: they were not. Raises StackError, DynatraceError."""
    told = {
        part.output: stack.outputs[part.output] for part in (parts.EMAIL, parts.SLACK) if part.output in stack.outputs
    }
    if not told:
        raise StackError(
            f"stack {stack.name} notifies nobody of problems; set alerts and alertEmails (docs/watch.md), then run "
            "pulumi up"
        )
    environment = stack.environment
    before = {workflow: newest(environment, workflow) for workflow in told.values()}
    props = properties(stack)
    for left in environment.detectors.listed():
        if is_ours(left, props):
            environment.detectors.delete(left.id)
    detector = environment.detectors.create(value(props))
    print(f"Detector “{props['name']}” deployed; it opens the problem “{props['event']['name']}”")
    try:
        return max(report(environment, workflow, before[workflow]) for workflow in told.values())
    finally:
        environment.detectors.delete(detector)
        print("The detector is removed, so the problem closes by itself")


def properties(stack: Stack) -> AnomalyDetectorProperties:
    settings = Settings(stack.config, stack.project, stack.name.rsplit("/", 1)[-1])
    detector, connector = alert_test(), stack.config["name"]
    name, event = f"{connector} {detector.title}", event_name(connector, detector.title)
    actor, workflow = stack.config["workflowActor"], stack.outputs["workflowId"]
    made: dict[str, Any] = inputs(settings.place, detector, name, event, workflow, actor, True)
    return cast(AnomalyDetectorProperties, {**made, "since": ""})


def newest(environment: Environment, workflow: str) -> Json:
    """The workflow's last execution; those of simple workflows are not in the list of executions."""
    found: Json = (environment.automation.workflow(workflow) or {}).get("lastExecution") or {}
    return found


def report(environment: Environment, workflow: str, before: Json) -> int:
    until = time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < until:
        execution = newest(environment, workflow)
        if execution.get("id") != before.get("id") and execution["state"] in FINAL_STATES:
            name, state = execution["title"], execution["state"]
            if state == "SUCCESS":
                print(f"Workflow “{name}” has notified people of the problem (execution {execution['id']})")
                return 0
            reason = environment.redact(" ".join(str(execution.get("stateInfo") or "").split()))
            print(f"Workflow “{name}” ended as {state} (execution {execution['id']}): {reason}")
            return 1
        environment.sleep(CHECK_EVERY_S)
    print(
        f"Workflow {workflow} has not run within {LONGEST_WAIT_S / 60:.0f} minutes. The actor may lack a permission; "
        'look at: fetch dt.system.events | filter event.kind == "ANOMALY_DETECTOR_STATUS_EVENT"'
    )
    return 1
