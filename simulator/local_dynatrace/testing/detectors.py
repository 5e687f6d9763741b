"""Anomaly detectors for tests of the local environment: values, and their objects over HTTP."""

from __future__ import annotations

from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SERVICE_USER, Headers, bearer
from local_dynatrace.testing.flows import settle

SCHEMA = "builtin:davis.anomaly-detectors"
OBJECTS = "/platform/classic/environment-api/v2/settings/objects"
ANALYZER = "dt.statistics.ui.anomaly_detection.StaticThresholdAnomalyDetectionAnalyzer"
SCOPES = ("settings:objects:read", "settings:objects:write", "settings:schemas:read")


def writer(local: Local, user: str = SERVICE_USER["email"]) -> Headers:
    """Somebody who may read and write settings."""
    return bearer(local, *SCOPES, user=user)


def detector(query: str, event: dict[str, str] | None = None, **inputs: str) -> dict[str, Any]:
    """The value of a detector over a query; ``inputs`` go to its analyzer, ``event`` to its event template."""
    given = {"query": query, "threshold": "0", **inputs}
    template = {"event.type": "CUSTOM_ALERT", "event.name": "Alert", "event.description": "Look", **(event or {})}
    return {
        "enabled": True,
        "title": "A detector",
        "description": "",
        "source": "tests",
        "executionSettings": {"actor": SERVICE_USER["id"]},
        "analyzer": {"name": ANALYZER, "input": [{"key": key, "value": given[key]} for key in given]},
        "eventTemplate": {"properties": [{"key": key, "value": template[key]} for key in template]},
    }


def item(value: Any, **more: Any) -> dict[str, Any]:
    return {"schemaId": SCHEMA, "scope": "environment", "value": value, **more}


def create(local: Local, headers: Headers, value: dict[str, Any], **more: Any) -> str:
    """Make a detector; returns the id of its settings object."""
    answer = local.call("POST", OBJECTS, headers=headers, json=[item(value, **more)])
    assert answer.status_code == 200, answer.text
    object_id: str = answer.json()[0]["objectId"]
    return object_id


def step(local: Local, minutes: float) -> None:
    """Let time pass, until everything that is due in it has been done."""
    local.sim("POST", "clock", {"step": minutes * 60})
    settle(local)
