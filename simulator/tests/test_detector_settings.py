"""Anomaly detectors as settings objects: their schema's constraints, who may write them, many of one schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, PERSON, SERVICE_USER, Headers, add_user
from local_dynatrace.testing.detectors import OBJECTS, SCHEMA, create, detector, item, writer

QUERY = "fetch logs | makeTimeseries n = count(default: 0), interval: 1m"
CLASSIC = "/api/v2/settings/objects"
AT = f"{SCHEMA}/0"
Value = dict[str, Any]


@pytest.fixture
def headers(local: Local) -> Headers:
    return writer(local)


def listed(local: Local, headers: Headers, **query: str) -> list[dict[str, Any]]:
    query = {"schemaIds": SCHEMA, "fields": "objectId,value,updateToken,externalId,summary", **query}
    answer = local.call("GET", OBJECTS, headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def problems(local: Local, headers: Headers, value: Any, path: str = OBJECTS) -> list[tuple[str, str]]:
    """Path below the object, and text, of everything that is wrong with a value."""
    answer = local.call("POST", path, headers=headers, json=[item(value)], params={"validateOnly": "true"})
    (found,) = answer.json()
    assert answer.status_code == found["code"] == found["error"]["code"] == 400
    assert found["invalidValue"] == value
    violations = found["error"]["constraintViolations"]
    return [(each["path"].removeprefix(AT).lstrip("/"), each["message"]) for each in violations]


def without(*path: str) -> Callable[[Value], Any]:
    def change(value: Value) -> None:
        for name in path[:-1]:
            value = value[name]
        del value[path[-1]]

    return change


def with_(content: Any, *path: str | int) -> Callable[[Any], Any]:
    def change(value: Any) -> None:
        for name in path[:-1]:
            value = value[name]
        value[path[-1]] = content

    return change


def field(key: str, text: str) -> Callable[[Value], Any]:
    """Change one input field of the analyzer."""

    def change(value: Value) -> None:
        value["analyzer"]["input"] = [each for each in value["analyzer"]["input"] if each["key"] != key]
        value["analyzer"]["input"].append({"key": key, "value": text})

    return change


def test_several_detectors_stand_side_by_side(local: Local, headers: Headers) -> None:
    first = create(local, headers, detector(QUERY))
    second = create(local, headers, {**detector(QUERY), "title": "Another"}, externalId="ours")
    found = listed(local, headers)

    assert [each["objectId"] for each in found] == [first, second]
    assert [each["summary"] for each in found] == ["A detector", "Another"]
    assert [each["objectId"] for each in listed(local, headers, externalIds="ours")] == [second]


def test_a_known_external_id_updates_its_object(local: Local, headers: Headers) -> None:
    first = create(local, headers, detector(QUERY), externalId="ours")
    again = create(local, headers, {**detector(QUERY), "title": "Renamed"}, externalId="ours")

    assert again == first
    assert [each["summary"] for each in listed(local, headers)] == ["Renamed"]


def test_validate_only_writes_nothing(local: Local, headers: Headers) -> None:
    answer = local.call("POST", OBJECTS, headers=headers, json=[item(detector(QUERY))], params={"validateOnly": "true"})

    assert (answer.status_code, answer.json()) == (200, [{"code": 200}])
    assert listed(local, headers) == []


def test_a_put_needs_the_present_update_token_and_a_delete_removes(local: Local, headers: Headers) -> None:
    object_id = create(local, headers, detector(QUERY))
    token = listed(local, headers)[0]["updateToken"]
    body = {"value": {**detector(QUERY), "title": "Renamed"}, "updateToken": token}
    path = f"{OBJECTS}/{object_id}"

    assert local.call("PUT", path, headers=headers, json=body).status_code == 200
    assert local.call("PUT", path, headers=headers, json=body).status_code == 409
    assert local.call("DELETE", path, headers=headers, params={"updateToken": token}).status_code == 409
    assert local.call("DELETE", path, headers=headers).status_code == 204
    assert listed(local, headers) == []


def test_a_list_goes_on_with_its_page_key(local: Local, headers: Headers) -> None:
    made = [create(local, headers, detector(QUERY)) for _ in range(5)]
    query: dict[str, str] = {"schemaIds": SCHEMA, "pageSize": "2"}
    found: list[str] = []
    for _ in range(3):
        page = local.call("GET", OBJECTS, headers=headers, params=query).json()
        assert page["totalCount"] == 5
        found += [each["objectId"] for each in page["items"]]
        query = {"nextPageKey": page.get("nextPageKey", "")}

    assert found == made
    assert query == {"nextPageKey": ""}


def test_a_page_key_stands_alone(local: Local, headers: Headers) -> None:
    for _ in range(2):
        create(local, headers, detector(QUERY))
    query = {"schemaIds": SCHEMA, "pageSize": "1"}
    key = local.call("GET", OBJECTS, headers=headers, params=query).json()["nextPageKey"]

    both = local.call("GET", OBJECTS, headers=headers, params={"schemaIds": SCHEMA, "nextPageKey": key})
    assert both.status_code == 400


# values


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        (without("description"), "description", "Must not be null"),
        (without("executionSettings"), "executionSettings", "Must not be null"),
        (without("source"), "source", "Must not be null"),
        (with_(None, "enabled"), "enabled", "Must not be null"),
        (with_("yes", "enabled"), "enabled", "Must be of type boolean"),
        (with_("x", "title"), "title", "Size must be between 2 and 500"),
        (with_("x" * 5001, "description"), "description", "Size must be between 0 and 5000"),
        (with_(1, "more"), "more", "Unknown property was provided"),
        (with_(True, "executionSettings", "queryOffset"), "executionSettings/queryOffset", "Must be of type integer"),
        (with_(61, "executionSettings", "queryOffset"), "executionSettings/queryOffset", "Must be between 1 and 60"),
        (with_(59, "executionSettings", "delay"), "executionSettings/delay", "Must be between 60 and 3600"),
        (with_("me", "executionSettings", "actor"), "executionSettings/actor", "Must match the pattern"),
        (with_("another.Analyzer", "analyzer", "name"), "analyzer/name", "is not part of the local environment"),
        (with_("a b", "analyzer", "name"), "analyzer/name", "Must match the pattern"),
        (field("threshold", "many"), "analyzer/input", "threshold must be a number"),
        (field("slidingWindow", "61"), "analyzer/input", "slidingWindow must be a whole number from 1 to 60"),
        (field("violatingSamples", "6"), "analyzer/input", "violatingSamples must not exceed slidingWindow"),
        (field("dealertingSamples", "6"), "analyzer/input", "dealertingSamples must not exceed slidingWindow"),
        (field("alertCondition", "OUTSIDE"), "analyzer/input", "OUTSIDE is not part of the local environment"),
        (field("alertOnMissingData", "yes"), "analyzer/input", "alertOnMissingData must be true or false"),
        (field("tolerance", "4"), "analyzer/input", "Unknown input fields: tolerance"),
        (field("query", ""), "analyzer/input/6/value", "Size must be between 1 and 50000"),
        (with_([], "eventTemplate", "properties"), "eventTemplate/properties", "event.name is required"),
        (with_("{x}", "eventTemplate", "properties", 1, "key"), "eventTemplate/properties/1/key", "must not contain"),
        (with_(" ", "eventTemplate", "properties", 1, "value"), "eventTemplate/properties/1/value", "not be blank"),
        (with_("OTHER", "eventTemplate", "properties", 0, "value"), "eventTemplate/properties", "must be one of"),
    ],
)
def test_a_wrong_value_is_refused_with_path_and_reason(
    local: Local, headers: Headers, change: Callable[[Value], Any], path: str, text: str
) -> None:
    value = detector(
        QUERY, violatingSamples="3", slidingWindow="5", dealertingSamples="5", alertCondition="ABOVE",
        alertOnMissingData="false",
    )  # fmt: skip
    assert local.call("POST", OBJECTS, headers=headers, json=[item(value)]).status_code == 200
    change(value)

    found = problems(local, headers, value)
    assert (path, True) in [(where, text in message) for where, message in found]


def test_input_fields_are_a_set(local: Local, headers: Headers) -> None:
    value = detector(QUERY)
    value["analyzer"]["input"].append(value["analyzer"]["input"][0])

    assert problems(local, headers, value) == [("analyzer/input/2", "Must not contain duplicates")]


def test_an_actor_may_be_null_or_absent(local: Local, headers: Headers) -> None:
    for settings in ({}, {"actor": None, "queryOffset": None, "delay": None}):
        create(local, headers, {**detector(QUERY), "executionSettings": settings})


def test_whether_the_query_runs_shows_when_it_is_evaluated(local: Local, headers: Headers) -> None:
    assert create(local, headers, detector("fetch bizevents"))


# who may


def test_an_api_token_reads_detectors_and_writes_none(local: Local, headers: Headers) -> None:
    object_id = create(local, headers, detector(QUERY))
    value = detector(QUERY)
    deleted = local.call("DELETE", f"{CLASSIC}/{object_id}", headers=DEPLOY)

    assert problems(local, DEPLOY, value, CLASSIC) == [
        ("", "Could not do validation as request was not done using oAuth.")
    ]
    assert local.call("PUT", f"{CLASSIC}/{object_id}", headers=DEPLOY, json={"value": value}).status_code == 400
    assert (deleted.status_code, deleted.json()["error"]["message"]) == (400, "No OAuth token provided")
    found = local.call("GET", CLASSIC, headers=DEPLOY, params={"schemaIds": SCHEMA}).json()
    assert [each["objectId"] for each in found["items"]] == [object_id]


def test_a_person_needs_a_permission_to_act_for_a_service_user_or_for_itself(local: Local) -> None:
    settings = ("settings:objects:read", "settings:objects:write")
    for email, more in (("plain@x.example", ()), ("free@x.example", ("iam:service-users:use",))):
        add_user(local, email, *settings, *more)
    own = {**detector(QUERY), "executionSettings": {}}

    assert problems(local, writer(local, "plain@x.example"), detector(QUERY)) == [
        ("executionSettings/actor", "The permission iam:service-users:use is missing")
    ]
    assert problems(local, writer(local, "plain@x.example"), own) == [
        ("executionSettings/actor", "The permission davis:analyzers:execute is missing")
    ]
    assert create(local, writer(local, "free@x.example"), detector(QUERY))


def test_nobody_acts_for_another_person(local: Local, headers: Headers) -> None:
    value = {**detector(QUERY), "executionSettings": {"actor": PERSON["id"]}}

    assert SERVICE_USER["id"] != PERSON["id"]
    assert problems(local, headers, value) == [("executionSettings/actor", "Must be a service user or the caller")]


# in a saved state


def test_a_saved_state_brings_detectors_back_and_refuses_a_wrong_one(local: Local, headers: Headers) -> None:
    create(local, headers, detector(QUERY))
    state = local.sim("GET", "state")
    local.sim("POST", "reset")
    local.sim("PUT", "state", state)
    assert [each["summary"] for each in listed(local, writer(local))] == ["A detector"]

    row = next(row for row in state["tables"]["settings_objects"] if row["schema_id"] == SCHEMA)
    row["value"]["title"] = "x"
    answer = local.call("PUT", "/_sim/state", json=state)
    assert (answer.status_code, "title: Size must be" in answer.text) == (400, True)
