"""An installation as the manual's ``deploy.sh`` leaves it: five vault entries and a workflow, none of them marked."""

from __future__ import annotations

from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY, bearer

CHECKPOINT = "2026-01-29T09:44:11.611092Z|9d3cd09c-0000-4000-8000-000000000001"
ENTRIES: dict[str, dict[str, str]] = {
    "scm": {"name": "Sectigo SCM OAuth", "type": "USERNAME_PASSWORD", "user": "old", "password": "old"},
    "logIngest": {"name": "Dynatrace Log Ingest Token", "type": "TOKEN", "token": "dt0c01.OLD.OLD"},
    "checkpoint": {"name": "Sectigo SCM Checkpoint", "type": "TOKEN", "token": CHECKPOINT},
    "executionLock": {"name": "Sectigo SCM Execution Lock", "type": "TOKEN", "token": "IDLE"},
    "workflowConfig": {
        "name": "Sectigo SCM Workflow Config",
        "type": "TOKEN",
        "token": '{"maxRetries": 5, "initHistoryDuration": "3h"}',
    },
}
"""By the keys of ``adopt``."""


def install(local: Local) -> dict[str, str]:
    """Returns the ids that the script's summary prints, by the keys of ``adopt``."""
    ids = {}
    for key, entry in ENTRIES.items():
        body = {**entry, "description": "", "scopes": ["APP_ENGINE"], "allowContextlessRequests": True}
        answer = local.call("POST", "/api/v2/credentials", headers=DEPLOY, json=body)
        assert answer.ok, answer.text
        ids[key] = answer.json()["id"]
    workflow: dict[str, Any] = {
        "title": "Sectigo SCM Integration",
        "isPrivate": False,
        "trigger": {
            "schedule": {
                "trigger": {"type": "interval", "intervalMinutes": 2},
                "isActive": True,
                "timezone": "UTC",
                "rule": None,
                "filterParameters": {},
            }
        },
        "tasks": {
            "sync_logs": {
                "name": "sync_logs",
                "action": "dynatrace.automations:run-javascript",
                "position": {"x": 0, "y": 1},
                "predecessors": [],
                "input": {"script": "export default async function () {}"},
            }
        },
    }
    headers = bearer(local, "automation:workflows:write", user=CLIENT["subject"])
    answer = local.call("POST", "/platform/automation/v1/workflows", headers=headers, json=workflow)
    assert answer.ok, answer.text
    ids["workflow"] = answer.json()["id"]
    return ids
