"""Anomaly detectors: ours by their mark, compared as sets, validated before the first write."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import bearer
from providers.anomaly_detector import AnomalyDetectorProvider, inputs
from providers.api.detectors import PATH, SCHEMA
from providers.api.environment import Environment
from providers.api.errors import ApiError, Refused
from tests.provider.conftest import SERVICE_USER, connect, place
from workflow_src.watch.detectors import Detector, detection_names, own_detectors, record_detectors

DETECTOR = AnomalyDetectorProvider()
WORKFLOW = "11111111-2222-4333-8444-555555555555"
EVERY = own_detectors(10) + record_detectors(dict.fromkeys(detection_names(), 5), 10)


def props_of(local: Local, detector: Detector = EVERY[0], **changes: Any) -> dict[str, Any]:
    name = f"Sectigo SCM {detector.title}"
    return {**inputs(place(local), detector, name, detector.title, WORKFLOW, SERVICE_USER, True), **changes}


def create(environment: Environment, props: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """ID and stored properties of a detector that has just been created."""
    id, outputs = DETECTOR.create_object(environment, props)
    return id, {**props, **outputs}


def headers(local: Local) -> dict[str, str]:
    return bearer(local, "settings:objects:read", "settings:objects:write")


def stored(local: Local) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = local.call(
        "GET", PATH, headers=headers(local), params={"schemaIds": SCHEMA, "fields": "objectId,value"}
    ).json()["items"]
    return found


def edit(local: Local, id: str, **more: Any) -> None:
    value = next(one["value"] for one in stored(local) if one["objectId"] == id)
    answer = local.call("PUT", f"{PATH}/{id}", headers=headers(local), json={"value": {**value, **more}})
    assert answer.ok, answer.text


@pytest.mark.parametrize("detector", EVERY, ids=lambda detector: detector.key)
def test_each_detector_is_accepted_and_does_not_drift(
    local: Local, environment: Environment, detector: Detector
) -> None:
    id, props = create(environment, props_of(local, detector))

    assert DETECTOR.read_object(environment, id, props) == {}
    (found,) = stored(local)
    assert found["value"]["executionSettings"]["actor"] == SERVICE_USER
    assert "[[" not in str(found["value"])


@pytest.mark.parametrize("interval", [1, 2, 10, 19, 20, 21, 30, 60, 720])
def test_windows_fit_for_every_interval(local: Local, environment: Environment, interval: int) -> None:
    for detector in own_detectors(interval):
        DETECTOR.create_object(environment, props_of(local, detector))


def test_one_validation_comes_before_all_writes(local: Local, environment: Environment) -> None:
    for detector in EVERY[:3]:
        DETECTOR.create_object(environment, props_of(local, detector))

    lines = local.sim("GET", "requests", limit=100)["requests"]
    calls = [line["method"] for line in lines if line["path"].split("?")[0] == PATH]
    assert sorted(calls) == ["GET", "POST", "POST", "POST", "POST"]


def test_a_refused_validation_writes_nothing(local: Local, environment: Environment) -> None:
    with pytest.raises(ApiError, match="actor"):
        DETECTOR.create_object(environment, props_of(local, actor="99999999-0000-4000-8000-000000000001"))

    assert stored(local) == []


def test_a_lost_state_takes_it_again_and_two_are_refused(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    id, props = create(environment, props_of(local))
    edit(local, id, enabled=False)

    again, props = create(connect(local), props_of(local))
    assert again == id
    assert "adopted; it differs in: enabled" in capsys.readouterr().out
    assert DETECTOR.read_object(environment, id, props) == {}

    value = stored(local)[0]["value"]
    twin = [{"schemaId": SCHEMA, "scope": "environment", "value": value}]
    assert local.call("POST", PATH, headers=headers(local), json=twin).ok
    with pytest.raises(Refused, match="exists 2 times and is marked as ours"):
        DETECTOR.create_object(connect(local), props)


def test_another_stacks_detector_of_the_same_title_is_left_alone(local: Local, environment: Environment) -> None:
    theirs, _ = DETECTOR.create_object(environment, props_of(local, **place(local, stack="sectigo-dynatrace/other")))

    ours, _ = DETECTOR.create_object(connect(local), props_of(local))

    assert ours != theirs
    with pytest.raises(Refused, match="now belongs to Pulumi stack sectigo-dynatrace/other; this is"):
        DETECTOR.update_object(environment, theirs, props_of(local, since=""), props_of(local, enabled=False))
    with pytest.raises(Refused, match="now belongs to Pulumi stack sectigo-dynatrace/other; this is"):
        DETECTOR.delete_object(environment, theirs, props_of(local))
    DETECTOR.delete_object(environment, ours, props_of(local))
    DETECTOR.delete_object(environment, ours, props_of(local))
    assert [one["objectId"] for one in stored(local)] == [theirs]


def test_what_people_change_is_shown_and_written_back_with_the_actor(local: Local, environment: Environment) -> None:
    id, props = create(environment, props_of(local, actor=""))
    edit(local, id, title="Mine", executionSettings={"actor": SERVICE_USER})

    assert DETECTOR.read_object(environment, id, props) == {"name": "Mine"}
    DETECTOR.update_object(environment, id, props, props)
    assert stored(local)[0]["value"]["executionSettings"]["actor"] == SERVICE_USER
    assert DETECTOR.read_object(environment, id, props) == {}


def test_one_that_was_deleted_is_created_again_only_after_a_refresh(local: Local, environment: Environment) -> None:
    id, props = create(environment, props_of(local))
    DETECTOR.delete_object(environment, id, props)

    assert DETECTOR.read_object(environment, id, props) is None
    with pytest.raises(Refused, match="pulumi up --refresh creates it again"):
        DETECTOR.update_object(environment, id, props, props)
