"""Status and doctor tell what is wrong, where, and what to do; and nothing where all is well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from local_dynatrace.testing import Local, flows
from local_dynatrace.testing.callers import SEED, bearer
from operations import doctor
from tests.engine import inside
from tests.operations.conftest import Operated

TOKEN = SEED["api_tokens"][1]["token"].rsplit(".", 1)[0]


def status(stack: Operated) -> tuple[int, dict[str, Any]]:
    done = stack.operate("status", "--json", "--no-drift", check=False)
    return done.code, json.loads(done.text[done.text.index("{") : done.text.rindex("}") + 1])


def test_a_healthy_stack_is_one_screen_without_a_complaint(deployed: Operated) -> None:
    done = deployed.operate("status")

    lines = [line.split()[0] for line in done.text.splitlines() if line and not line.startswith("warning")]
    assert lines == [
        "stack", "objects", "entries", "owner", "identities", "schedule", "runs", "lock", "checkpoint", "lag",
        "retention", "tokens", "allowlist", "drift", "OK",
    ]  # fmt: skip
    outputs = deployed.outputs
    assert outputs["workflowId"] in done.text
    objects = [key for key in outputs if key.endswith("Id")]
    assert f"{len(objects)} of {len(objects)}: workflow" in done.text
    assert "free: no execution is running" in done.text
    assert "drift       none" in done.text
    for secret in (
        SEED["api_tokens"][0]["token"],
        SEED["oauth_clients"][0]["secret"],
        SEED["scm_clients"][0]["secret"],
    ):
        assert secret not in done.text


def test_a_token_that_expires_soon_is_named_with_its_key(deployed: Operated, running: Local) -> None:
    soon = datetime.now(UTC) + timedelta(days=3, hours=1)
    running.sim("PATCH", f"api-tokens/{TOKEN}", {"expirationDate": soon.isoformat()})
    try:
        code, found = status(deployed)
        assert code == 1
        assert found["problems"] == ["logIngestToken expires in 3 days"]
    finally:
        running.sim("PATCH", f"api-tokens/{TOKEN}", {"expirationDate": None})


def test_what_somebody_changed_in_the_web_interface_is_drift_in_one_line(deployed: Operated, running: Local) -> None:
    workflow = deployed.outputs["workflowId"]
    live = inside.workflow(running, workflow)
    trigger = {key: live["trigger"]["schedule"][key] for key in ("timezone", "rule", "filterParameters")}
    faster = {"schedule": {**trigger, "isActive": True, "trigger": {"type": "interval", "intervalMinutes": 1}}}
    inside.edit_workflow(running, workflow, trigger=faster)
    try:
        done = deployed.operate("drift", check=False)
        assert done.code == 1
        assert "Drift in test: workflow changed" in done.text
        assert "1 => 30" in done.text, "the preview itself follows"
    finally:
        deployed.up("--refresh")


@pytest.fixture(scope="module")
def silent(running: Local, tmp_path_factory: pytest.TempPathFactory) -> Operated:
    """A stack that was deployed twenty minutes ago and has not run since; its interval is two minutes."""
    stack = Operated(tmp_path_factory.mktemp("silent"), running, "silent")
    stack.configure(name="Silent SCM")
    running.sim("POST", "clock", {"step": -20 * 60})
    try:
        stack.up()
    finally:
        running.sim("POST", "clock", {"step": 20 * 60})
    return stack


def start(stack: Operated, local: Local) -> str:
    """A run, as the schedule starts it; returns its execution."""
    who = bearer(local, "automation:workflows:read", "automation:workflows:run")
    path = f"/platform/automation/v1/workflows/{stack.outputs['workflowId']}/run"
    answer = local.call("POST", path, headers=who, json={})
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def end(local: Local) -> None:
    assert local.sim("GET", "idle", timeout_s=40)["idle"]


def test_silence_and_lag_are_problems_after_three_intervals(silent: Operated) -> None:
    code, found = status(silent)

    assert code == 1
    assert found["problems"] == [
        "no run has read and sent records for at least 9 min",
        "the connector is 21 min behind (limit: 9 min)",
    ]
    assert found["scheduleActive"] is True


def test_a_run_that_was_skipped_is_no_sign_of_life(silent: Operated, running: Local) -> None:
    inside.overwrite(running, silent.outputs["executionLockCredentialId"], "RUNNING")
    start(silent, running)
    end(running)

    code, found = status(silent)

    assert code == 1
    assert found["runs"][0]["state"] == "SUCCESS"
    assert found["problems"][0] == (
        "no run has read and sent records for at least 9 min (1 skipped because another run holds the lock)"
    )


def test_records_that_log_ingest_has_refused_are_a_problem(silent: Operated, running: Local) -> None:
    inside.overwrite(running, silent.outputs["executionLockCredentialId"], "IDLE")
    at = datetime.now(UTC) - timedelta(minutes=5)
    records = [{"id": id, "timestamp": at.isoformat(), "action": "issue"} for id in ("taken", "refused")]
    running.sim("POST", "scm/records", {"records": records})
    # Both together, then, after the first one alone, the second one with its time and without it.
    for nth in (1, 3, 4):
        running.sim("POST", "faults", {"api": "logs", "caller": "script", "status": 400, "nth": nth, "times": 1})
    start(silent, running)
    end(running)
    running.sim("DELETE", "faults")

    code, found = status(silent)

    assert code == 1
    assert found["problems"] == [
        "log ingest has refused 1 record in the last 24 h (make reconcile STACK=silent lists them)"
    ]


def test_a_pause_is_a_verdict_and_a_schedule_that_somebody_turned_off_is_a_problem(
    deployed: Operated, running: Local
) -> None:
    workflow = deployed.outputs["workflowId"]
    live = inside.workflow(running, workflow)["trigger"]["schedule"]
    kept = {key: live[key] for key in ("timezone", "rule", "filterParameters", "trigger")}
    inside.edit_workflow(running, workflow, trigger={"schedule": {**kept, "isActive": False}})
    try:
        code, found = status(deployed)
        assert (code, found["verdict"], found["paused"]) == (1, "ATTENTION", True)
        assert found["problems"] == [
            "nothing runs: the schedule was turned off in Dynatrace, although triggerEnabled is true; pulumi up "
            "--refresh turns it on again"
        ]
        deployed.configure(triggerEnabled="false")
        done = deployed.operate("status", "--no-drift", check=False)
        assert done.code == 3
        assert "\nPAUSED: the schedule is off (triggerEnabled is false)" in done.text
    finally:
        deployed.configure(triggerEnabled="true")
        deployed.up("--refresh")


def test_the_record_of_a_run_that_has_just_ended_is_waited_for(deployed: Operated, running: Local) -> None:
    running.sim("PATCH", "options", {"logs_visible_after_s": 4})
    try:
        execution = start(deployed, running)
        end(running)
        code, found = status(deployed)
    finally:
        running.sim("PATCH", "options", {"logs_visible_after_s": 0})

    assert (code, found["runs"][0]["id"]) == (0, execution)
    assert "notQueryableYet" not in found


def test_a_part_that_cannot_be_read_is_a_problem(deployed: Operated, running: Local) -> None:
    rule = {"api": "automation", "path": "/platform/automation/v1/executions", "status": 403, "body": {}, "times": None}
    running.sim("POST", "faults", rule)
    try:
        code, found = status(deployed)
    finally:
        running.sim("DELETE", "faults")

    assert code == 1
    assert found["problems"] == ["runs could not be read"]


def test_an_undeployed_stack_says_so(running: Local, tmp_path_factory: pytest.TempPathFactory) -> None:
    stack = Operated(tmp_path_factory.mktemp("undeployed"), running, "other")
    stack.configure(name="Another SCM")
    done = stack.operate("status", check=False)
    assert done.code == 2
    assert "stack other is not deployed; run `pulumi up --stack other`" in done.text
    assert "Traceback" not in done.text

    doctor = stack.operate("doctor")
    assert "the first run of pulumi up will prove them" in doctor.text, "the doctor comes before the deployment, too"
    assert "/ui/apps/dynatrace.automations/settings" in doctor.text


def test_an_up_that_changed_nothing_announces_no_deployment(deployed: Operated) -> None:
    deployed.up()

    done = deployed.operate("summary")

    assert "Nothing to deploy: everything was up to date." in done.text
    assert "DEPLOYMENT COMPLETE" not in done.text and "started once by the deployment" not in done.text


def test_a_stack_whose_first_up_has_failed_is_only_partly_deployed(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack = prepare()
    local.sim("POST", "faults", {"api": "scm", "times": None, "status": 403, "caller": "script"})
    stack.up(check=False)

    done = stack.operate("status", check=False)

    assert done.code == 2
    assert "error: stack test is only partly deployed, because its last `pulumi up` failed" in done.text
    doctor = stack.operate("doctor", check=False)
    assert doctor.code == 1 and "FAIL  the last run failed: SCM audit API" in doctor.text


def test_the_script_is_shown_as_it_is_deployed(deployed: Operated, running: Local) -> None:
    live = inside.workflow(running, deployed.outputs["workflowId"])["tasks"]["sync"]["input"]["script"]

    assert live in deployed.operate("show-script").text


def test_what_stops_a_deployment_before_it_begins_is_a_finding(deployed: Operated) -> None:
    deployed.configure(triggerInterval="5")
    try:
        done = deployed.operate("doctor", check=False)
    finally:
        deployed.configure(triggerInterval=None)

    assert done.code == 1
    assert "FAIL  stack config: triggerInterval: unknown setting; did you mean triggerIntervalMinutes?" in done.text
    assert "docs/on-call.md" in done.text


def test_the_doctor_finds_everything_in_order(deployed: Operated) -> None:
    done = deployed.operate("doctor")
    assert "All prerequisites are met" in done.text
    assert "FAIL" not in done.text


def test_the_doctor_names_a_missing_scope_and_the_page_to_open(deployed: Operated, running: Local) -> None:
    public = SEED["api_tokens"][0]["token"]
    narrow = {**token(public), "scopes": ["credentialVault.read", "settings.read"]}
    running.sim("POST", "identities", {"apiTokens": [narrow]})
    try:
        done = deployed.operate("doctor", check=False)
        assert done.code == 1
        assert "lacks the scopes credentialVault.write, settings.write" in done.text
        assert "/ui/access-tokens" in done.text
    finally:
        running.sim("POST", "identities", {"apiTokens": [token(public)]})


def test_the_doctor_tells_a_wrong_scm_secret_from_a_wrong_dynatrace_one(deployed: Operated) -> None:
    deployed.configure_secret("sectigoClientSecret", "wrong")
    deployed.configure_secret("oauthClientSecret", "dt0s02.LOCALCLI.WRONG")
    try:
        done = deployed.operate("doctor", check=False)
        assert "sectigoClientId: SCM rejected the OAuth client (401" in done.text
        assert "oauthClientId: OAuth client dt0s02.LOCALCLI got no token" in done.text
        assert "WRONG" not in done.text
    finally:
        deployed.configure_secret("sectigoClientSecret", SEED["scm_clients"][0]["secret"])
        deployed.configure_secret("oauthClientSecret", SEED["oauth_clients"][0]["secret"])


def test_the_doctor_finds_a_host_that_was_removed_after_the_deployment(deployed: Operated, running: Local) -> None:
    flows.allow(running, "auth.sso.sectigo.com", "127.0.0.1")
    try:
        done = deployed.operate("doctor", check=False)
        assert done.code == 1
        assert "FAIL  outbound allowlist: audit.demo.sectigo.com was removed, so runs fail" in done.text
    finally:
        deployed.up("--refresh")


def test_a_run_at_work_proves_nothing_to_the_doctor_yet(deployed: Operated, running: Local) -> None:
    running.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "delay_s": 15})
    at_work = start(deployed, running)

    done = deployed.operate("doctor")
    end(running)
    running.sim("DELETE", "faults")

    assert "has all permissions that a run needs (proven by run " in done.text
    assert at_work not in done.text


SUCCESS, RUNNING, CANCELLED = ({"id": "one", "state": state} for state in ("SUCCESS", "RUNNING", "CANCELLED"))
BACKFILL = {**SUCCESS, "input": {"backfill": {"from": "…"}}}


@pytest.mark.parametrize(
    ("newest", "result", "verdict"),
    [
        ([RUNNING], None, "warn"),
        ([CANCELLED], None, "warn"),
        ([SUCCESS], {"outcome": "skipped"}, "warn"),
        ([BACKFILL], {"outcome": "backfilled"}, "warn"),
        ([RUNNING, SUCCESS], {"outcome": "caught up"}, "ok"),
    ],
)
def test_only_a_run_that_took_the_lock_and_sent_proves_the_actors_rights(
    newest: list[Any], result: Any, verdict: str
) -> None:
    automation = SimpleNamespace(
        workflow=lambda workflow: {"id": workflow, "actor": "someone"},
        newest_executions=lambda workflow: newest,
        task=lambda execution, task: {"result": result},
    )
    access = SimpleNamespace(apps_url="https://abc.apps.dynatrace.com")
    environment: Any = SimpleNamespace(automation=automation, access=access, redact=str)
    stack: Any = SimpleNamespace(workflow_id="w", config={"workflowActor": ""})
    findings = doctor.Findings(datetime.now(UTC))

    doctor.deployed(findings, environment, stack)

    assert [one[0] for one in findings.found] == [verdict]


def test_without_the_optional_scopes_each_feature_says_what_it_skips(deployed: Operated, running: Local) -> None:
    client = {**SEED["oauth_clients"][0]}
    required = [scope for scope in client["scopes"] if not scope.startswith("storage:")]
    running.sim("POST", "identities", {"oauthClients": [{**client, "scopes": required}]})
    try:
        screen = deployed.operate("status", "--no-drift").text
        assert "checkpoint  not read: needs storage:logs:read and storage:buckets:read" in screen
        assert "\nOK, but checkpoint could not be read\n" in screen
        reconcile = deployed.operate("reconcile", check=False)
        assert reconcile.code == 2
        assert "Reading logs needs an OAuth client with storage:logs:read" in reconcile.text
        assert "skip  optional: OAuth client dt0s02.LOCALCLI lacks" in deployed.operate("doctor").text
    finally:
        running.sim("POST", "identities", {"oauthClients": [client]})


def test_the_readme_of_a_stack_has_its_outputs_filled_in(deployed: Operated) -> None:
    text = deployed.operate("readme").text
    assert deployed.outputs["workflowUrl"] in text
    assert deployed.outputs["owner"] in text
    assert f"make status STACK={deployed.stack}" in text
    assert "${" not in text
    assert text.strip() == deployed.outputs["readme"].strip(), "Pulumi Cloud shows the same"


def token(text: str) -> dict[str, Any]:
    seeded = next(one for one in SEED["api_tokens"] if one["token"] == text)
    return {key: seeded[key] for key in ("token", "name", "owner", "scopes")}


def send_one(stack: Operated, local: Local, id: str) -> None:
    """Run the workflow when SCM has one new record."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    local.sim("POST", "scm/records", {"records": [{"id": id, "timestamp": at.isoformat(), "action": "issue"}]})
    start(stack, local)
    end(local)


def test_a_bucket_that_forgets_too_soon_needs_attention(deployed: Operated, running: Local) -> None:
    send_one(deployed, running, "kept")
    deployed.configure(auditRetentionDays="365")
    try:
        _, found = status(deployed)
    finally:
        deployed.configure(auditRetentionDays=None)

    assert found["retentionDays"] == {"default_logs": 35}
    assert (
        "bucket default_logs keeps audit records for 35 days, not for auditRetentionDays 365 (docs/watch.md)"
        in found["problems"]
    )


def test_a_failed_run_is_the_first_thing_to_attend_to(deployed: Operated, running: Local) -> None:
    inside.overwrite(running, deployed.outputs["logIngestCredentialId"], "dt0c01.WRONG.WRONG")
    send_one(deployed, running, "not accepted")

    code, found = status(deployed)

    assert code == 1
    assert found["problems"][0].startswith("the last run failed: ")
    assert found["problems"][0].endswith("check logIngestToken and its scope logs.ingest"), "the sentence, complete"
    assert "{" not in found["problems"][0]
    doctor = deployed.operate("doctor", check=False)
    assert doctor.code == 1 and "FAIL  the last run failed" in doctor.text


def test_credentials_that_no_run_has_proven_yet_are_named_and_times_are_by_the_environments_clock(
    prepare: Callable[..., Operated], local: Local
) -> None:
    local.sim("POST", "clock", {"mode": "auto"})
    stack = prepare()
    stack.up()  # its clock stands in January
    local.sim("POST", "clock", {"step": 3 * 24 * 3600})
    screen = stack.operate("status", "--no-drift", check=False).text
    assert re.search(r"^runs +SUCCESS 3 days ago$", screen, re.MULTILINE)
    assert re.search(r"^schedule .*was due 2 days ago$|^schedule .*was due 3 days ago$", screen, re.MULTILINE), screen
    assert "since the credentials" not in screen

    scm = {**SEED["scm_clients"][0], "secret": "another"}
    local.sim("POST", "identities", {"scmClients": [scm]})
    stack.configure_secret("sectigoClientSecret", "another")
    # The run after the write fails, so what the stack exports is still that of the `up` before it.
    local.sim("POST", "faults", {"api": "automation", "method": "POST", "path": "*/run", "status": 400})
    assert stack.up(check=False).code != 0

    assert any("no run has succeeded since the credentials" in one for one in status(stack)[1]["problems"])
