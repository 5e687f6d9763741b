"""`pulumi up`, again, `preview`, `destroy` on the real engine."""

from __future__ import annotations

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import bearer
from tests.engine import inside
from tests.engine.deployment import Deployment

POLLS = "GET /platform/automation/v1/executions/"


def test_a_deployment_runs_changes_nothing_twice_needs_no_network_to_preview_and_leaves_nothing(
    stack: Deployment, local: Local
) -> None:
    before = local.sim("GET", "dump")

    stack.forget_calls()
    first = stack.up()
    calls = [call for call in stack.calls() if not (call.startswith(POLLS) and call.count("/") == 5)]
    assert first.changes.keys() == {"create"}
    everything = first.changes["create"]
    objects = everything - {"access"}
    assert len(calls) <= 3 * len(objects), calls  # for each: a token of its scopes, a look, a write
    assert "✓ Execution lock released (IDLE)" in first.text, "the first run's own log is shown"
    assert "Traceback" not in first.text
    assert "warning" not in first.text
    assert first.warnings == []
    outputs = stack.outputs
    assert outputs["firstRun"]["outcome"] == "caught up"
    assert outputs["workflowUrl"].endswith(f"/ui/apps/dynatrace.automations/workflows/{outputs['workflowId']}")
    assert outputs["schedule"] == "Every 2 minutes"

    stack.forget_calls()
    assert stack.up().changes == {}
    assert stack.calls() == []

    assert stack.preview("--refresh", "--expect-no-changes").changes == {}
    stack.refresh()

    local.stop()
    try:
        assert stack.preview("--expect-no-changes").changes == {}
        stack.configure(triggerIntervalMinutes=7, maxRetries=5)
        changed = stack.preview("--diff")
    finally:
        local.start()
    assert changed.changes == {"update": {"workflow", "workflow-config"}}
    assert "intervalMinutes: 2 => 7" in changed.text
    assert "edits that were made in the vault are lost" in changed.text

    stack.forget_calls()
    assert stack.up().changes == changed.changes
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}

    assert stack.destroy().changes == {"delete": everything}
    assert local.sim("GET", "dump") == before


def test_a_wrong_configuration_stops_before_anything_is_asked(stack: Deployment) -> None:
    stack.configure(triggerIntervalMinutes=0, unknownKey="x", scmApiUrl="http://audit.demo.sectigo.com")
    stack.forget_calls()

    done = stack.up(check=False)

    assert done.code != 0
    for line in (
        "- triggerIntervalMinutes: must be an integer from 1 to 720",
        "- unknownKey: unknown setting",
        "- scmApiUrl: must start with https://",
    ):
        assert line in done.text
    assert "Traceback" not in done.text
    assert stack.calls() == []


def test_a_failed_preflight_writes_nothing_and_is_one_report_without_a_traceback(
    stack: Deployment, local: Local
) -> None:
    before = local.sim("GET", "dump")
    stack.configure(accountUrn="urn:dtaccount:99999999-0000-4000-8000-000000000001")

    done = stack.up(check=False)

    assert done.code != 0
    assert "nothing was written" in done.text
    assert "the client must belong to that account" in done.text
    assert "Traceback" not in done.text
    assert local.sim("GET", "dump") == before


def test_a_failed_run_fails_the_deployment_with_its_reason_and_the_next_one_tries_again(
    stack: Deployment, local: Local
) -> None:
    # New ids and hosts take their time to work.
    local.sim("PATCH", "options", {"credential_settles_s": 15, "allowlist_settles_s": 10})
    local.sim("POST", "faults", {"api": "scm", "times": None, "status": 403, "caller": "script"})

    done = stack.up(check=False)
    assert done.code != 0
    assert "the workflow was deployed, but its run ended as ERROR" in done.text
    assert "Look: http" in done.text
    assert done.text.count("is audit API access enabled for this key?") == 1, "the reason is given once"
    assert "Traceback" not in done.text

    local.sim("DELETE", "faults")
    again = stack.up()
    assert again.changes == {"create": {"first-run"}}
    assert stack.outputs["firstRun"]["outcome"] == "caught up"
    assert len(inside.failed_runs(local)) == 1


def test_destruction_during_a_run_leaves_nothing_not_even_by_a_script_that_was_still_alive(
    stack: Deployment, local: Local
) -> None:
    before = local.sim("GET", "dump")["credentials"]
    stack.up()
    workflow = stack.outputs["workflowId"]
    # The script stops dead with the lock taken; the platform ends it at 120 s.
    local.sim("POST", "clock", {"mode": "frozen"})
    local.sim("POST", "faults", {"api": "scm", "caller": "script", "script": "freeze"})
    headers = bearer(local, "automation:workflows:run")
    path = f"/platform/automation/v1/workflows/{workflow}/run"
    execution = local.call("POST", path, headers=headers, json={}).json()["id"]

    stack.forget_calls()
    process = stack.start("destroy", "--yes", "--skip-preview", "--stack", stack.stack)
    while not any(call.startswith("GET /platform/automation/v1/executions") for call in stack.calls()):
        assert process.poll() is None
    assert not any(call.startswith("DELETE") for call in stack.calls())
    local.sim("POST", "clock", {"step": 125})
    text, _ = process.communicate(timeout=60)

    assert process.returncode == 0, text
    assert f"waiting for execution {execution} to end, 130 s at most" in text
    dump = local.sim("GET", "dump")
    assert dump["credentials"] == before
    assert [row["title"] for row in dump["workflows"]] == ["Weekly cost report"]
