"""``notification.yaml`` into the body of a workflow for the Automation API (facts: alerting 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .words import source, text

Json = dict[str, Any]


def event_name(connector: str, title: str) -> str:
    """The name of a detector's events, and so of its problems."""
    return f"{prefix(connector)}{title}"


def prefix(connector: str) -> str:
    """What the names of all problems of a connector start with."""
    return f"{connector}: "


def definition(connector: str, task: Json) -> Json:
    """The workflow, without title, description and actor. It starts when a problem of this connector opens."""
    described: Json = source("notification")["workflow"]
    value = described["trigger"]["eventTrigger"]["triggerConfiguration"]["value"]
    value["customFilter"] = f"matchesValue(event.name, {text(prefix(connector) + '*')})"
    return {**described, "tasks": {task["name"]: task}}


def email_task(recipients: Sequence[str]) -> Json:
    described = source("notification")
    input = {
        "to": list(recipients),
        "cc": [],
        "bcc": [],
        "subject": described["subject"],
        "content": described["text"],
        "taskId": "{{ task().id }}",
        "executionId": "{{ execution().id }}",
        "environmentUrl": "{{ environment().url }}",
    }
    return {**described["email"], "input": input}


def slack_task(connection: str, channel: str) -> Json:
    """``connection``: ID of a Slack connection in Dynatrace's settings."""
    described = source("notification")
    # Names of the inputs are UNVERIFIED but for the connection.
    input = {"connection": connection, "channel": channel, "message": described["text"]}
    return {**described["slack"], "input": input}
