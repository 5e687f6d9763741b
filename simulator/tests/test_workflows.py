"""The automation API's workflows: what may be written, what is read back, who sees and changes it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import PERSON, SERVICE_USER, add_user, bearer
from local_dynatrace.testing.flows import ADMIN, API, READ, WRITE, author, body, create, every, get, settle, start, task

WORKFLOWS = f"{API}/workflows"


def test_what_is_left_out_is_filled_in_by_the_server(local: Local) -> None:
    made = create(local, author(local), trigger={"schedule": {"trigger": {"type": "interval", "intervalMinutes": 10}}})

    assert made["tasks"]["main"] == {
        "name": "main", "description": "", "action": "dynatrace.automations:run-javascript",
        "input": {"script": "export default () => null;"}, "active": True, "position": {"x": 0, "y": 1},
        "predecessors": [], "conditions": {}, "withItems": None, "concurrency": 1, "retry": None,
    }  # fmt: skip
    schedule = made["trigger"]["schedule"]
    assert (schedule["timezone"], schedule["isActive"], schedule["isFaulty"]) == ("UTC", False, False)
    assert schedule["nextExecution"] is None
    assert (made["isDeployed"], made["isPrivate"], made["type"]) == (True, True, "STANDARD")
    assert (made["version"], made["triggerType"], made["hourlyExecutionLimit"]) == (1, "Schedule", 1000)
    assert made["owner"] == made["actor"] == SERVICE_USER["id"]
    assert made["modificationInfo"]["createdBy"] == SERVICE_USER["id"]
    assert made["lastExecution"] is None
    assert made["throttle"] == {"isLimitHit": False, "limitEvents": []}


def test_an_id_in_the_body_is_kept_and_taken_only_once(local: Local) -> None:
    wanted, headers = str(uuid.uuid4()), author(local)

    assert create(local, headers, id=wanted)["id"] == wanted
    again = local.call("POST", WORKFLOWS, headers=headers, json=body(id=wanted))
    assert (again.status_code, list(again.json()["error"]["details"])) == (400, ["id"])


def test_an_update_keeps_what_it_leaves_out_and_counts_versions(local: Local) -> None:
    headers = author(local)
    made = create(local, headers, description="before", isPrivate=False)
    path = f"{WORKFLOWS}/{made['id']}"

    renamed = local.call("PUT", path, headers=headers, json={"title": "Renamed"}).json()
    assert (renamed["title"], renamed["description"], renamed["version"]) == ("Renamed", "before", 2)
    assert (renamed["tasks"], renamed["isPrivate"]) == (made["tasks"], False)

    cleared = local.call("PATCH", path, headers=headers, json={"description": ""}).json()
    assert (cleared["description"], cleared["version"]) == ("", 3)


def test_a_deleted_workflow_is_gone(local: Local) -> None:
    headers = author(local)
    path = f"{WORKFLOWS}/{create(local, headers)['id']}"

    assert local.call("DELETE", path, headers=headers).status_code == 204
    assert local.call("GET", path, headers=headers).status_code == 404
    assert local.call("DELETE", path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"title": ""}, {"title": ["This field may not be blank."]}),
        ({"title": "x" * 201}, {"title": ["Ensure this field has no more than 200 characters."]}),
        ({"isPrivate": "yes"}, {"isPrivate": ["Must be a valid boolean."]}),
        ({"tasks": []}, {"tasks": ['Expected a dictionary of items but got type "list".']}),
        ({"tasks": {"a b": task()}}, {"tasks": {"a b": {"name": ["'a b' is not a valid task name."]}}}),
        ({"tasks": {"a": {"input": {}}}}, {"tasks": {"a": {"action": ["This field is required."]}}}),
        ({"tasks": {"a": task(predecessors=["b"])}}, {"tasks": {"a": {"predecessors": ["Task 'b' does not exist."]}}}),
        ({"tasks": {"a": task(timeout=0)}},
         {"tasks": {"a": {"timeout": ["Ensure this value is greater than or equal to 1."]}}}),
        ({"hourlyExecutionLimit": 0}, {"hourlyExecutionLimit": ["Ensure this value is greater than or equal to 1."]}),
        ({"trigger": every(721)}, {"trigger": {"schedule": {"trigger": {"intervalMinutes": [
            "Ensure this value is less than or equal to 720."]}}}}),
        ({"trigger": every(10, timezone="")}, {"trigger": {"schedule": {"timezone": ['"" is not a valid choice.']}}}),
        ({"trigger": every(10, rule="")}, {"trigger": {"schedule": {"rule": ["Must be a valid UUID."]}}}),
        ({"trigger": {"schedule": {"trigger": {}}}}, {"trigger": {"schedule": {"trigger": [
            "No match for discriminator 'type_' and value '' "
            "(allowed values: 'cron', 'time', 'interval', 'once')"]}}}),
        ({"trigger": {"schedule": {"trigger": {"type": "cron", "cron": "61 * * * *"}}}},
         {"trigger": {"schedule": {"trigger": {"cron": [
             "'61' is out of range for the minute of a cron expression (0 to 59)."]}}}}),
    ],
)  # fmt: skip
def test_details_of_a_refusal_mirror_the_body(local: Local, fields: dict[str, Any], details: dict[str, Any]) -> None:
    answer = local.call("POST", WORKFLOWS, headers=author(local), json=body(**fields))

    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": 400, "message": "Invalid request.", "details": details}}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"withItems": "x in {{ [1] }}"}, "withItems"),
        ({"retry": {"count": 2, "delay": 1}}, "retry"),
        ({"waitBefore": 5}, "waitBefore"),
        ({"conditions": {"custom": "{{ true }}"}}, "conditions"),
        ({"active": "{{ true }}"}, "active"),
    ],
)
def test_a_task_option_that_is_not_simulated_is_refused_by_name(local: Local, more: dict[str, Any], field: str) -> None:
    answer = local.call("POST", WORKFLOWS, headers=author(local), json=body(tasks={"main": task(**more)}))

    assert answer.status_code == 400
    assert "not part of the local environment" in str(answer.json()["error"]["details"]["tasks"]["main"][field])


def test_tasks_must_not_wait_for_each_other(local: Local) -> None:
    tasks = {"a": task(predecessors=["b"]), "b": task(predecessors=["a"])}

    assert local.call("POST", WORKFLOWS, headers=author(local), json=body(tasks=tasks)).status_code == 400


def test_a_simple_workflow_has_no_javascript(local: Local) -> None:
    answer = local.call("POST", WORKFLOWS, headers=author(local), json=body(type="SIMPLE"))

    assert list(answer.json()["error"]["details"]) == ["tasks"]


def test_a_null_position_is_kept_as_it_came(local: Local) -> None:
    made = create(local, author(local), tasks={"main": task(position=None)})

    assert made["tasks"]["main"]["position"] is None


def test_a_body_that_is_no_json_is_refused_in_this_apis_envelope(local: Local) -> None:
    answer = local.call("POST", WORKFLOWS, headers=author(local), data="{")

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "Invalid request.")


def test_the_list_is_filtered_ordered_and_cut_into_pages(local: Local) -> None:
    headers = author(local)
    for title in ("Sync two", "sync one", "Other"):
        create(local, headers, title=title, isDeployed=title != "Other")

    found = get(local, headers, "workflows", search="SYNC")
    assert (found["count"], [w["title"] for w in found["results"]]) == (2, ["sync one", "Sync two"])
    page = get(local, headers, "workflows", search="sync", ordering="-title", limit=1, offset=1)
    assert (page["count"], [w["title"] for w in page["results"]]) == (2, ["sync one"])
    assert [w["title"] for w in get(local, headers, "workflows", isDeployed="false")["results"]] == ["Other"]
    assert get(local, headers, "workflows", owner=SERVICE_USER["id"], triggerType="Schedule")["count"] == 0
    assert local.call("GET", WORKFLOWS, headers=headers, params={"ordering": "nothing"}).status_code == 400


def test_the_list_is_filtered_by_what_happened_and_refuses_what_it_cannot_filter_by(local: Local) -> None:
    headers = author(local)
    create(local, headers, title="idle")
    for title, script in {"fails": "() => { throw new Error('no'); }", "works": "() => 1"}.items():
        start(local, headers, create(local, headers, f"export default {script};", title=title)["id"])
    settle(local)

    def titles(**query: str) -> list[str]:
        return [w["title"] for w in get(local, headers, "workflows", owner=SERVICE_USER["id"], **query)["results"]]

    assert titles(lastExecution__state__in="ERROR") == ["fails"]
    assert titles(lastExecution__state__in="ERROR,SUCCESS") == ["fails", "works"]
    assert titles(modificationInfo__lastModifiedBy=PERSON["id"]) == []
    assert titles(throttle__isLimitHit="false") == ["fails", "idle", "works"]
    assert titles(unacknowledgedSkippedScheduleAt__gte="2020-01-01T00:00:00Z") == []
    refused = local.call("GET", WORKFLOWS, headers=headers, params={"fields": "title"})
    assert refused.status_code == 400
    assert refused.json()["error"]["details"] == {"fields": ["This parameter is not part of the local environment."]}


def test_a_body_that_is_nested_too_deeply_is_refused(local: Local) -> None:
    nested = f'{{"title": "deep", "tasks": {{}}, "input": {"[" * 972}{"]" * 972}}}'

    answer = local.call("POST", WORKFLOWS, headers=author(local), data=nested)

    assert answer.status_code == 400


def test_a_private_workflow_is_its_owners_alone(local: Local) -> None:
    mine = create(local, author(local))
    other = author(local, user=PERSON["email"])

    assert local.call("GET", f"{WORKFLOWS}/{mine['id']}", headers=other).status_code == 404
    assert mine["id"] not in [w["id"] for w in get(local, other, "workflows")["results"]]


def test_admin_access_needs_its_scope_and_looks_past_ownership(local: Local) -> None:
    mine = create(local, author(local))

    refused = local.call("GET", WORKFLOWS, headers=author(local), params={"adminAccess": "true"})
    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"missingScopes": [ADMIN]}
    admin = bearer(local, READ, WRITE, ADMIN, user=PERSON["email"])
    assert get(local, admin, f"workflows/{mine['id']}", adminAccess="true")["id"] == mine["id"]


def test_whoever_edits_becomes_the_actor_unless_a_service_user_acts(local: Local) -> None:
    person, service = author(local, user=PERSON["email"]), author(local)
    theirs, ours = create(local, person, isPrivate=False), create(local, service, isPrivate=False)

    taken = local.call("PUT", f"{WORKFLOWS}/{theirs['id']}", headers=service, json={"title": "Edited"}).json()
    kept = local.call("PUT", f"{WORKFLOWS}/{ours['id']}", headers=person, json={"title": "Edited"}).json()

    assert (theirs["actor"], taken["actor"]) == (PERSON["id"], SERVICE_USER["id"])
    assert kept["actor"] == SERVICE_USER["id"]
    assert (taken["owner"], kept["modificationInfo"]["lastModifiedBy"]) == (PERSON["id"], PERSON["id"])


def test_an_administrators_edit_leaves_the_actor_alone(local: Local) -> None:
    second = "second@nordhav.example"
    add_user(local, second, READ, WRITE, ADMIN)
    theirs = create(local, author(local, user=PERSON["email"]))

    edited = local.call(
        "PUT", f"{WORKFLOWS}/{theirs['id']}", headers=bearer(local, READ, WRITE, ADMIN, user=second),
        params={"adminAccess": "true"}, json={"title": "Edited"},
    ).json()  # fmt: skip
    assert edited["actor"] == PERSON["id"]


def test_another_person_cannot_be_made_the_actor_and_a_service_user_needs_permission(local: Local) -> None:
    as_person = local.call("POST", WORKFLOWS, headers=author(local), json=body(actor=PERSON["id"]))
    unpermitted = local.call(
        "POST", WORKFLOWS, headers=author(local, user=PERSON["email"]), json=body(actor=SERVICE_USER["id"])
    )

    assert (as_person.status_code, list(as_person.json()["error"]["details"])) == (400, ["actor"])
    assert unpermitted.status_code == 403
    assert unpermitted.json()["error"]["details"] == {"missingPermissions": ["iam:service-users:use"]}


def test_writing_and_running_need_their_own_scopes(local: Local) -> None:
    made = create(local, author(local))
    reader = bearer(local, READ)

    assert local.call("POST", WORKFLOWS, headers=reader, json=body()).status_code == 403
    assert local.call("POST", f"{WORKFLOWS}/{made['id']}/run", headers=reader, json={}).status_code == 403
    assert local.call("DELETE", f"{WORKFLOWS}/{made['id']}", headers=reader).status_code == 403


def test_the_service_tells_its_version_time_zones_and_what_the_caller_may_do(local: Local) -> None:
    headers = author(local, "app-engine:apps:run")

    assert get(local, headers, "version")["version"]
    assert {"UTC", "Europe/Berlin"} <= set(get(local, headers, "schedules/timezones"))
    assert "automation:workflows:run" in get(local, headers, "settings/user-permissions")
    assert get(local, headers, "scheduling-rules") == {"count": 0, "results": []}
    assert get(local, headers, "settings")["environment"]["workflowsCount"] >= 1


def test_the_classic_domain_is_this_environment(local: Local) -> None:
    headers = bearer(local, "app-engine:apps:run")
    path = "/platform/metadata/v1/classic-environment-domain"

    assert local.call("GET", path, headers=headers).json() == {"domain": local.url}
    assert local.call("GET", path, headers=author(local)).status_code == 403
