"""The workflow: written as a whole, compared field by field, stopped before it is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import PERSON, bearer
from providers.api.environment import Environment
from providers.api.errors import DynatraceError, Refused, RunFailed
from providers.credential import StateCredentialProvider
from providers.workflow import WorkflowProvider
from providers.workflow_form import schedule_of
from providers.workflow_run import WorkflowRunProvider, why
from tests.provider.conftest import SERVICE_USER, connect, entry, place
from workflow_src.render import definition

WORKFLOW, RUN = WorkflowProvider(), WorkflowRunProvider()
URL = "/platform/automation/v1/workflows"
SCRIPT = """const PARAMETERS = {"a":"","scmCredentialId":""};
export default async function () {
  console.log("hello");
}
"""


def props_of(local: Local, **changes: Any) -> dict[str, Any]:
    values = {
        **place(local),
        "name": "Sectigo SCM Integration",
        "purpose": "For a test.",
        "script": SCRIPT,
        "definition": definition(),
        "parameters": {"a": "x"},
        "ids": {"scmCredentialId": "CREDENTIALS_VAULT-0"},
        "schedule": {"intervalMinutes": 10.0, "isActive": True},
        "private": False,
        "actor": "",
        "adopt": "",
    }
    return {**values, **changes}


def run_props(local: Local, workflow: str, **changes: Any) -> dict[str, Any]:
    values = {"workflow": workflow, "revision": "r1", "checkpoint": "", "executionsUrl": "https://e", "showLog": True}
    return {**values, **changes}


def person(local: Local) -> dict[str, str]:
    """Somebody who uses the Dynatrace web interface."""
    scopes = ("automation:workflows:read", "automation:workflows:write", "automation:workflows:admin")
    return bearer(local, *scopes, user=PERSON["email"])


def edit(local: Local, id: str, **body: Any) -> None:
    answer = local.call("PUT", f"{URL}/{id}", headers=person(local), params={"adminAccess": "true"}, json=body)
    assert answer.ok, answer.text


def live(local: Local, id: str) -> dict[str, Any]:
    found: dict[str, Any] = local.call("GET", f"{URL}/{id}", headers=person(local)).json()
    return found


def test_what_the_api_fills_in_is_no_drift(local: Local, environment: Environment) -> None:
    props = props_of(local)
    id, more = WORKFLOW.create_object(environment, props)

    assert WORKFLOW.read_object(environment, id, {**props, **more}) == {}
    assert more["actsFor"] == more["owner"] == SERVICE_USER


@pytest.mark.parametrize(
    ("change", "drift"),
    [
        ({"title": "Mine"}, {"name": "Mine"}),
        ({"description": "Mine"}, {"purpose": "Mine"}),
        ({"isPrivate": True}, {"private": True}),
        ({"isDeployed": False}, {"definition": {"isDeployed": False}}),
        ({"hourlyExecutionLimit": 7}, {"definition": {"hourlyExecutionLimit": 7}}),
        ({"trigger": {"schedule": {"trigger": {"type": "interval", "intervalMinutes": 30}, "isActive": True}}},
         {"schedule": {"intervalMinutes": 30, "isActive": True}}),
        ({"trigger": {"schedule": {"trigger": {"type": "cron", "cron": "5 * * * *"}, "isActive": True}}},
         {"schedule": {"type": "cron", "cron": "5 * * * *", "isActive": True}}),
        ({"trigger": {"schedule": {"trigger": {"type": "interval", "intervalMinutes": 10}, "isActive": True,
                                   "timezone": "Europe/Vienna"}}},
         {"schedule": {"intervalMinutes": 10, "isActive": True, "timezone": "Europe/Vienna"}}),
        ({"trigger": {}}, {"schedule": {"isActive": False}}),
    ],
)  # fmt: skip
def test_each_changed_field_is_reported_alone_and_repaired(
    local: Local, environment: Environment, change: dict[str, Any], drift: dict[str, Any]
) -> None:
    props = props_of(local)
    id, _ = WORKFLOW.create_object(environment, props)
    if change.get("trigger"):
        defaults: dict[str, Any] = {"timezone": "UTC", "rule": None, "filterParameters": {}}
        change["trigger"]["schedule"] = {**defaults, **change["trigger"]["schedule"]}
    edit(local, id, **change)

    found = WORKFLOW.read_object(environment, id, props)
    assert found is not None
    if "definition" in drift:
        drift = {"definition": {**definition(), **drift["definition"]}}
    assert found == drift
    assert WORKFLOW.diff(id, {**props, **found}, props).changes

    WORKFLOW.update_object(environment, id, {**props, **found}, props)
    assert WORKFLOW.read_object(environment, id, props) == {}


def test_a_rule_and_filters_of_a_schedule_are_drift_and_what_filters_nothing_is_not() -> None:
    every = {"type": "interval", "intervalMinutes": 10}
    ours = {"trigger": every, "isActive": True, "timezone": "UTC", "rule": None}
    filters = {"earliestStart": "2026-01-01", "count": None, "excludeDates": ["2026-12-24"]}

    found = schedule_of({"trigger": {"schedule": {**ours, "rule": "a-rule", "filterParameters": filters}}})

    shown = {"rule": "a-rule", "filterParameters": {"excludeDates": ["2026-12-24"]}}
    assert found == {"intervalMinutes": 10, "isActive": True, **shown}


def test_an_actor_that_is_no_longer_named_is_kept_with_a_warning(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    named = props_of(local, actor=SERVICE_USER)
    id, _ = WORKFLOW.create_object(environment, named)

    more = WORKFLOW.update_object(environment, id, named, props_of(local))

    assert more["actsFor"] == SERVICE_USER
    assert f"still acts for {SERVICE_USER}: Dynatrace keeps an actor" in capsys.readouterr().out


def test_two_identities_are_reported_after_each_run(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    id, _ = WORKFLOW.create_object(environment, props_of(local))
    state = {"firstValue": "NONE", "workflow": "none", "missed": ""}
    checkpoint, _ = StateCredentialProvider().create_object(environment, entry(place(local), "Checkpoint", **state))
    owner = environment.deploy_token["owner"]
    environment.__dict__["deploy_token"] = {"owner": "another"}

    RUN.update_object(environment, id, {}, run_props(local, id, checkpoint=checkpoint))

    assert (
        f"the workflow writes the checkpoint as {owner}, the deploy token belongs to another: use one service user for "
        "the deploy token, the OAuth client and the workflow's actor"
    ) in capsys.readouterr().out


def test_an_edited_script_shows_the_edit_and_not_the_parameters(local: Local, environment: Environment) -> None:
    props = props_of(local)
    id, _ = WORKFLOW.create_object(environment, props)
    tasks = live(local, id)["tasks"]
    tasks["sync"]["input"]["script"] = tasks["sync"]["input"]["script"].replace("hello", "goodbye")
    tasks["sync"]["timeout"] = 999
    edit(local, id, tasks=tasks)

    found = WORKFLOW.read_object(environment, id, props)

    assert found is not None
    assert found["script"] == SCRIPT.replace("hello", "goodbye")
    assert found["definition"]["tasks"]["sync"]["timeout"] == 999
    assert set(found) == {"script", "definition"}


def test_another_credential_id_in_the_script_is_reported_as_such(local: Local, environment: Environment) -> None:
    props = props_of(local)
    id, _ = WORKFLOW.create_object(environment, props)
    tasks = live(local, id)["tasks"]
    tasks["sync"]["input"]["script"] = tasks["sync"]["input"]["script"].replace("VAULT-0", "VAULT-1")
    edit(local, id, tasks=tasks)

    assert WORKFLOW.read_object(environment, id, props) == {"ids": {"scmCredentialId": "CREDENTIALS_VAULT-1"}}


def test_an_added_task_is_reported_and_removed(local: Local, environment: Environment) -> None:
    props = props_of(local)
    id, _ = WORKFLOW.create_object(environment, props)
    tasks = live(local, id)["tasks"]
    tasks["mine"] = {**tasks["sync"], "name": "mine", "position": {"x": 1, "y": 2}}
    edit(local, id, tasks=tasks)

    found = WORKFLOW.read_object(environment, id, props)
    assert found is not None
    assert found["definition"]["tasks"]["mine"] == {"action": "dynatrace.automations:run-javascript"}

    WORKFLOW.update_object(environment, id, {**props, **found}, props)
    assert set(live(local, id)["tasks"]) == {"sync"}


def test_a_new_actor_is_repaired_by_config_or_causes_a_warning(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    props = props_of(local)
    id, more = WORKFLOW.create_object(environment, props)
    answer = local.call("PUT", f"{URL}/{id}", headers=person(local), json={"description": "x"})
    assert answer.ok, answer.text
    if live(local, id)["actor"] == SERVICE_USER:  # a service user stays the actor (facts: dynatrace-api 5.6)
        edit(local, id, actor=PERSON["id"])
    capsys.readouterr()

    found = WORKFLOW.read_object(environment, id, {**props, **more})
    assert found is not None
    assert "actor" not in found
    told = capsys.readouterr().out
    assert f"acts for {PERSON['id']} instead of {SERVICE_USER}, since somebody edited it" in told
    assert "pulumi config set workflowActor UUID" in told

    named = props_of(local, actor=SERVICE_USER)
    found = WORKFLOW.read_object(environment, id, {**named, **more})
    assert found is not None
    assert found["actor"] == PERSON["id"]


def test_a_new_owner_causes_a_warning_and_is_kept(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    props = props_of(local)
    id, more = WORKFLOW.create_object(environment, props)
    edit(local, id, owner=PERSON["id"])

    assert WORKFLOW.read_object(environment, id, {**props, **more}) == {}

    assert f"belongs to {PERSON['id']} instead of {SERVICE_USER}; its owner is not changed" in capsys.readouterr().out


def test_a_deleted_workflow_is_gone_and_its_deletion_a_success(local: Local, environment: Environment) -> None:
    props = props_of(local)
    id, _ = WORKFLOW.create_object(environment, props)
    WORKFLOW.delete_object(environment, id, props)

    assert WORKFLOW.read_object(environment, id, props) is None
    WORKFLOW.delete_object(environment, id, props)


def test_a_vendors_workflow_is_adopted_only_if_named_and_differences_are_reported(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = {"title": "Sectigo SCM Integration", "description": "by deploy.sh", "isPrivate": False, "tasks": {}}
    headers = bearer(local, "automation:workflows:read", "automation:workflows:write")
    id = local.call("POST", URL, headers=headers, json=theirs).json()["id"]

    with pytest.raises(Refused, match=f"pulumi config set --path adopt.workflow {id}"):
        WORKFLOW.create_object(connect(local), props_of(local))
    taken, _ = WORKFLOW.create_object(connect(local), props_of(local, adopt=id))

    assert taken == id
    assert "it differs in: purpose, schedule, definition, script" in capsys.readouterr().out


def test_a_failed_run_fails_with_its_reason_and_is_tried_again(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = SCRIPT.replace('console.log("hello")', 'throw new Error("the audit API is closed")')
    broken = broken.replace("throw", 'console.log("✗ the audit API is closed");\n  throw')
    id, _ = WORKFLOW.create_object(environment, props_of(local, script=broken))

    for _ in range(2):
        with pytest.raises(RunFailed, match=r"ended as ERROR\n  Cause: .*the audit API is closed"):
            RUN.update_object(environment, id, {}, run_props(local, id))
    WORKFLOW.update_object(environment, id, {}, props_of(local))
    result = RUN.update_object(environment, id, {}, run_props(local, id))

    assert result["execution"]
    told = capsys.readouterr().out
    assert "  | hello" in told
    assert "the audit API is closed" not in told, "the error has it, so the log does not repeat it"
    assert len(environment.automation.newest_executions(id)) == 3


def test_what_the_actors_rights_explain_is_explained_by_them_likeliest_first(
    local: Local, environment: Environment
) -> None:
    execution = {"state": "ERROR", "actor": "somebody-else"}
    denied = why(execution, "the vault answered 403", "https://x", environment).splitlines()
    other = why(execution, "SCM refused the OAuth client (401)", "https://x", environment).splitlines()

    assert denied[1] == "  Cause: the vault answered 403"
    assert denied[2].startswith("  Likeliest: the workflow acts for somebody-else, its vault entries belong to ")
    assert denied[3].startswith("  Otherwise: the actor lacks a permission or has not given it to workflows: ")
    assert [line.split(":")[0] for line in other[1:]] == ["  Cause", "  Look"]


def test_a_run_that_was_started_before_is_found_again(local: Local, environment: Environment) -> None:
    id, _ = WORKFLOW.create_object(environment, props_of(local))
    first = RUN.update_object(environment, id, {}, run_props(local, id))

    assert RUN.update_object(environment, id, {}, run_props(local, id)) == first
    assert len(environment.automation.newest_executions(id)) == 1


def test_a_run_from_before_another_revision_does_not_count(local: Local, environment: Environment) -> None:
    id, _ = WORKFLOW.create_object(environment, props_of(local))
    first = RUN.update_object(environment, id, {}, run_props(local, id))
    local.sim("POST", "clock", {"step": 60})
    WORKFLOW.update_object(environment, id, {}, props_of(local, parameters={"a": "y"}))
    RUN.update_object(environment, id, {}, run_props(local, id, revision="r2"))
    local.sim("POST", "clock", {"step": 60})
    WORKFLOW.update_object(environment, id, {}, props_of(local))

    again = RUN.update_object(environment, id, {}, run_props(local, id))

    assert again["execution"] != first["execution"]
    assert len(environment.automation.newest_executions(id)) == 3


@pytest.mark.parametrize("fault", [{"cut": "after"}, {"status": 500, "when": "after"}])
def test_a_run_whose_answer_was_lost_is_found_again(
    local: Local, environment: Environment, fault: dict[str, Any]
) -> None:
    id, _ = WORKFLOW.create_object(environment, props_of(local))
    local.sim("POST", "faults", {"api": "automation", "method": "POST", "path": "*/run", **fault})

    with pytest.raises(DynatraceError):
        RUN.update_object(environment, id, {}, run_props(local, id))
    RUN.update_object(environment, id, {}, run_props(local, id))

    assert len(environment.automation.newest_executions(id)) == 1


def test_deletion_waits_until_no_script_can_be_alive(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = SCRIPT.replace('console.log("hello")', "await new Promise((done) => setTimeout(done, 30_000))")
    id, _ = WORKFLOW.create_object(environment, props_of(local, script=waiting))
    local.sim("POST", "clock", {"mode": "frozen"})
    execution = environment.automation.run(id, input={}, unique_qualifier="1")["id"]
    looks: list[str] = []
    listing = environment.automation.newest_executions

    def look(workflow: str, **filters: str) -> list[dict[str, Any]]:
        found = listing(workflow, **filters)
        looks.append(found[0]["state"])
        if len(looks) == 3:
            local.sim("POST", "clock", {"mode": "auto"})
            local.sim("GET", "idle")
        return found

    environment.automation.newest_executions = look  # type: ignore[method-assign]
    WORKFLOW.delete_object(environment, id, props_of(local))

    assert looks == ["RUNNING", "RUNNING", "RUNNING", "SUCCESS"]
    assert f"the schedule is off; waiting for execution {execution} to end, 130 s at most" in capsys.readouterr().out
    assert live(local, id).get("id") is None
