"""What somebody changed in the web interface is shown field by field, and `up` repairs it."""

from __future__ import annotations

import re

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY
from tests.engine import inside
from tests.engine.deployment import Deployment


def test_what_was_changed_or_deleted_in_the_web_interface_is_shown_and_repaired(
    stack: Deployment, local: Local
) -> None:
    stack.up()
    ids = stack.outputs
    tasks = inside.workflow(local, ids["workflowId"])["tasks"]
    tasks["sync"]["input"]["script"] = tasks["sync"]["input"]["script"].replace("leg: 100 *", "leg: 50 *")
    tasks["sync"]["timeout"] = 999
    schedule = inside.workflow(local, ids["workflowId"])["trigger"]
    schedule["schedule"]["trigger"]["intervalMinutes"] = 33
    kept = {key: schedule["schedule"][key] for key in ("trigger", "isActive", "timezone", "rule", "filterParameters")}
    inside.edit_workflow(local, ids["workflowId"], tasks=tasks, isPrivate=True, trigger={"schedule": kept})
    inside.delete_entry(local, ids["logIngestCredentialId"])
    renamed = {"name": "Mine", "type": "USERNAME_PASSWORD", "scopes": ["APP_ENGINE"], "user": "u", "password": "p"}
    path = f"/api/v2/credentials/{ids['scmCredentialId']}"
    assert local.call("PUT", path, headers=DEPLOY, json=renamed).status_code == 204
    inside.overwrite(local, ids["checkpointCredentialId"], "2026-01-29T09:44:11.611092Z|9d3cd09c")

    shown = stack.preview("--refresh", "--diff")
    words = re.sub(r" +:", ":", shown.text)

    for line in (
        "leg: 50 * SECOND",
        "leg: 100 * SECOND",
        "timeout: 999 => 300",
        "intervalMinutes: 33 => 2",
        "private: true => false",
        'name: "Mine" => "Sectigo SCM OAuth"',
        "closed to workflow scripts",
    ):
        assert line in words, line
    assert shown.text.count("const PARAMETERS") == 0, "the parameters have not changed"
    assert shown.changes["create"] == {"log-ingest"}

    stack.up("--refresh")
    stands = inside.value(local, ids["checkpointCredentialId"])
    assert stands.startswith("2026-01-29T09:44:11.611092Z|9d3cd09c\n"), "only the script has written it"

    inside.delete_workflow(local, ids["workflowId"])
    back = stack.up("--refresh")
    assert "workflow" in back.changes["create"]
    assert "possible gap" not in back.text
    assert stack.outputs["checkpointCredentialId"] == ids["checkpointCredentialId"]

    inside.delete_entry(local, ids["checkpointCredentialId"])
    done = stack.up("--refresh")

    assert "had been deleted outside Pulumi and is created again as NONE. Records older than" in done.text
    assert "possible gap in the logs" in done.text
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}


def test_a_forced_replacement_touches_no_live_value_and_the_checkpoint_can_outlive_its_stack(
    stack: Deployment, local: Local
) -> None:
    stack.up()
    ids = stack.outputs
    inside.overwrite(local, ids["checkpointCredentialId"], "2026-01-29T09:44:11.611092Z|9d3cd09c")
    urn = "urn:pulumi:test::sectigo-dynatrace::pulumi-python:dynamic/dynatrace:StateCredential::checkpoint"
    before = local.sim("GET", "dump")

    assert "is not deleted: it was found again and is still in use" in stack.up("--replace", urn).text
    assert local.sim("GET", "dump") == before

    # A failed run ends the deployment before “the old one” is deleted: that is left to the next process.
    local.sim("POST", "faults", {"api": "scm", "times": None, "status": 403, "caller": "script"})
    stack.configure(maxExecutionTimeMinutes=54)
    assert stack.up("--replace", urn, check=False).code != 0
    assert '"delete": true' in stack.pulumi("stack", "export", "--stack", stack.stack).text
    local.sim("DELETE", "faults")

    assert "is not deleted: it was found again and is still in use" in stack.up().text
    assert '"delete": true' not in stack.pulumi("stack", "export", "--stack", stack.stack).text
    assert stack.outputs["checkpointCredentialId"] == ids["checkpointCredentialId"]
    assert inside.value(local, ids["checkpointCredentialId"]).startswith("2026-01-29T09:44:11.611092Z")

    stack.configure(keepCheckpoint="true")
    assert stack.up("--refresh").changes == {}
    stack.destroy("--refresh")
    assert {name for name in inside.names(local) if "Sectigo" in name} == {"Sectigo SCM Checkpoint"}
    assert inside.value(local, ids["checkpointCredentialId"]).startswith("2026-01-29T09:44:11.611092Z")

    again = stack.up()
    assert "Checkpoint: 2026-01-29T09:44:11.611092Z|9d3cd09c" in again.text
