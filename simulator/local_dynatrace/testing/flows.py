"""Workflows for tests of the local environment: made, run and looked at over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, SERVICE_USER, Headers, bearer

API = "/platform/automation/v1"
READ, WRITE, RUN = "automation:workflows:read", "automation:workflows:write", "automation:workflows:run"
ADMIN = "automation:workflows:admin"
JAVASCRIPT = "dynatrace.automations:run-javascript"
NOTHING = "export default () => null;"
SLEEP = "const sleep = (s) => new Promise((done) => setTimeout(done, s * 1000));\n"


def author(local: Local, *more: str, user: str = SERVICE_USER["email"]) -> Headers:
    """Somebody who may read, write and run workflows."""
    return bearer(local, READ, WRITE, RUN, *more, user=user)


def task(script: str = NOTHING, **more: Any) -> dict[str, Any]:
    return {"action": JAVASCRIPT, "input": {"script": script}, **more}


def every(minutes: int, **more: Any) -> dict[str, Any]:
    """A trigger with an active interval schedule."""
    return {"schedule": {"trigger": {"type": "interval", "intervalMinutes": minutes}, "isActive": True, **more}}


def body(script: str = NOTHING, **fields: Any) -> dict[str, Any]:
    return {"title": "A workflow", "tasks": {"main": task(script)}, **fields}


def create(local: Local, headers: Headers, script: str = NOTHING, **fields: Any) -> dict[str, Any]:
    answer = local.call("POST", f"{API}/workflows", headers=headers, json=body(script, **fields))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def get(local: Local, headers: Headers, path: str, **query: Any) -> Any:
    answer = local.call("GET", f"{API}/{path}", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def start(local: Local, headers: Headers, workflow: str, **inputs: Any) -> str:
    """Run a workflow; returns the execution's id."""
    answer = local.call("POST", f"{API}/workflows/{workflow}/run", headers=headers, json=inputs)
    assert answer.status_code == 201, answer.text
    execution: str = answer.json()["id"]
    return execution


def settle(local: Local) -> None:
    """Wait until no script runs."""
    assert local.sim("GET", "idle", timeout_s=30)["idle"]


@dataclass
class Outcome:
    """What came of one script."""

    execution: str
    state: str
    info: str | None
    result: Any
    log: str
    runtime: int


def outcome(local: Local, headers: Headers, execution: str, name: str = "main") -> Outcome:
    found = get(local, headers, f"executions/{execution}/tasks/{name}")
    log = get(local, headers, f"executions/{execution}/tasks/{name}/log")
    return Outcome(execution, found["state"], found["stateInfo"], found["result"], log, found["runtime"])


def play(local: Local, script: str, headers: Headers | None = None, **fields: Any) -> Outcome:
    """Run a script to its end."""
    who = headers or author(local)
    execution = start(local, who, create(local, who, script, **fields)["id"])
    settle(local)
    return outcome(local, who, execution)


def allow(local: Local, *hosts: str) -> None:
    """Make these hosts, and no others, the outbound allowlist."""
    query = {"schemaIds": "builtin:dt-javascript-runtime.allowed-outbound-connections", "scopes": "environment"}
    found = local.call("GET", "/api/v2/settings/objects", headers=DEPLOY, params=query).json()["items"][0]
    value = {"allowedOutboundConnections": {"enforced": True, "hostList": list(hosts)}}
    path = f"/api/v2/settings/objects/{found['objectId']}"
    answer = local.call("PUT", path, headers=DEPLOY, json={"value": value})
    assert answer.status_code == 200, answer.text
