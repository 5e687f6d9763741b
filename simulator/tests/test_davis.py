"""Anomaly detectors at work: queries on the one clock, events and problems that open and close, health."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SEED, SERVICE_USER, Headers, bearer, with_token
from local_dynatrace.testing.detectors import OBJECTS, create, detector, step, writer
from local_dynatrace.testing.flows import settle

MINUTE = 60
PROBLEMS = "fetch dt.davis.problems, from: -3d | sort event.start asc"
INGEST = with_token(SEED["api_tokens"][1]["token"])
HEARTBEATS = 'fetch logs | filter log.source == "heart" | makeTimeseries n = count(default: 0), interval: 1m'
SILENT = {
    "alertCondition": "BELOW", "threshold": "1", "violatingSamples": "30", "slidingWindow": "30",
    "dealertingSamples": "1",
}  # fmt: skip
EACH = {"violatingSamples": "1", "slidingWindow": "5", "dealertingSamples": "5"}
FAILURES = (
    'fetch logs | filter result == "failed" '
    "| makeTimeseries failures = count(default: 0), by: {actor}, interval: 1m"
)  # fmt: skip


@pytest.fixture
def local(watched: Local) -> Local:
    return watched


@pytest.fixture
def headers(local: Local) -> Headers:
    return writer(local)


def log(local: Local, **attributes: str) -> None:
    answer = local.call("POST", "/api/v2/logs/ingest", headers=INGEST, json=[{"content": "a record", **attributes}])
    assert answer.status_code == 204, answer.text


def beat(local: Local, minutes: int, every: int = 10) -> None:
    """Time passes, with heartbeats in it."""
    for _ in range(minutes // every):
        log(local, **{"log.source": "heart"})
        step(local, every)


def found(local: Local, query: str) -> list[dict[str, Any]]:
    scopes = ("storage:events:read", "storage:system:read", "storage:logs:read", "storage:buckets:read")
    path = "/platform/storage/query/v1/query:execute"
    answer = local.call("POST", path, headers=bearer(local, *scopes), json={"query": query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["result"]["records"])


def problems(local: Local) -> list[tuple[str, str]]:
    records = found(local, PROBLEMS)
    return [(each["event.name"], each["event.status"]) for each in records]


def health(local: Local) -> list[tuple[str, str]]:
    kind = '"ANOMALY_DETECTOR_STATUS_EVENT"'
    records = found(local, f"fetch dt.system.events, from: -1d | filter event.kind == {kind}")
    return [(each["davis.anomaly_detector.status"], each.get("davis.anomaly_detector.message", "")) for each in records]


def test_silence_opens_a_problem_and_one_heartbeat_closes_it(local: Local) -> None:
    beat(local, 30)
    query = HEARTBEATS.replace("interval: 1m", "interval: 1m, nonempty: true")
    create(
        local, writer(local), detector(query, {"event.type": "AVAILABILITY_EVENT", "event.name": "Silent"}, **SILENT)
    )
    step(local, 20)
    assert problems(local) == []

    step(local, 10)
    assert problems(local) == [("Silent", "ACTIVE")]
    step(local, 25)
    assert problems(local) == [("Silent", "ACTIVE")]
    log(local, **{"log.source": "heart"})
    step(local, 1)
    assert problems(local) == [("Silent", "CLOSED")]

    (problem,) = found(local, "fetch dt.davis.problems, from: -1d")
    (event,) = found(local, "fetch dt.davis.events, from: -1d")
    assert (problem["event.kind"], problem["event.category"]) == ("DAVIS_PROBLEM", "AVAILABILITY")
    assert problem["dt.davis.event_ids"] == [event["event.id"]]
    assert problem["display_id"] == "P-260100001"
    # The last heartbeat fell into 10:20; the one that ended the silence into 11:25.
    assert problem["event.start"].startswith("2026-01-29T10:21:00")
    assert problem["event.end"].startswith("2026-01-29T11:26:00")
    assert problem["resolved_problem_duration"] == str(65 * MINUTE * 10**9)
    assert (event["event.status_transition"], event["dt.query"]) == ("RECOVERED", query)


def test_a_long_step_finds_what_opened_and_closed_within_it(local: Local, headers: Headers) -> None:
    create(local, headers, detector(FAILURES, **EACH))
    log(local, result="failed", actor="eve")
    step(local, 180)

    (problem,) = found(local, "fetch dt.davis.problems, from: -1d")
    assert problem["event.status"] == "CLOSED"
    assert problem["event.start"].startswith("2026-01-29T10:00:00")
    assert problem["event.end"].startswith("2026-01-29T10:06:00")


def test_each_combination_of_dimensions_has_its_own_problem(local: Local, headers: Headers) -> None:
    template = {
        "event.name": "Failures of {dims:actor}",
        "event.description": "{severity} {alert_condition} {threshold}",
    }
    create(local, headers, detector(FAILURES, template, **{**EACH, "threshold": "1"}))
    for actor in ("eve", "eve", "mallory", "mallory", "alice"):
        log(local, result="failed", actor=actor)
    step(local, 1)

    records = found(local, "fetch dt.davis.problems, from: -1d | sort event.name asc")
    assert [each["event.name"] for each in records] == ["Failures of eve", "Failures of mallory"]
    assert records[0]["event.description"] == "2 above 1"
    assert len({each["display_id"] for each in records}) == 2


def test_an_active_problem_is_not_opened_again_and_stays_in_recent_queries(local: Local, headers: Headers) -> None:
    create(local, headers, detector(FAILURES, **EACH))
    for _ in range(40):
        log(local, result="failed", actor="eve")
        step(local, 4)

    (problem,) = found(local, "fetch dt.davis.problems, from: -10m")
    assert (problem["event.status"], problem["event.status_transition"]) == ("ACTIVE", "REFRESHED")


def test_an_informational_event_opens_no_problem(local: Local, headers: Headers) -> None:
    create(local, headers, detector(FAILURES, {"event.type": "CUSTOM_INFO"}, **EACH))
    log(local, result="failed", actor="eve")
    step(local, 1)

    assert problems(local) == []
    assert [each["event.category"] for each in found(local, "fetch dt.davis.events")] == ["INFO"]


def test_missing_data_alerts_only_if_asked(local: Local, headers: Headers) -> None:
    query = HEARTBEATS.replace("count(default: 0)", "count()")
    for wanted in ("false", "true"):
        event = {"event.name": f"Missing {wanted}", "event.description": "{missing_data_samples} minutes"}
        create(local, headers, detector(query, event, **EACH, alertOnMissingData=wanted))
    step(local, 1)

    assert problems(local) == [("Missing true", "ACTIVE")]
    (problem,) = found(local, "fetch dt.davis.problems")
    assert problem["event.description"] == "5 minutes"


def test_a_new_detector_is_first_evaluated_when_the_minute_is_over(local: Local) -> None:
    """So a heartbeat of this minute counts: there is no false alarm at the first deployment."""
    query = HEARTBEATS.replace("interval: 1m", "interval: 1m, nonempty: true")
    step(local, 0.4)
    log(local, **{"log.source": "heart"})
    step(local, 0.2)
    create(local, writer(local), detector(query, **SILENT))
    settle(local)
    assert problems(local) == []

    step(local, 1)
    assert problems(local) == []


def test_a_query_offset_waits_for_late_records(local: Local, headers: Headers) -> None:
    late = detector(FAILURES, **EACH)
    late["executionSettings"]["queryOffset"] = 10
    create(local, headers, late)
    log(local, result="failed", actor="eve")
    step(local, 10)
    assert problems(local) == []

    step(local, 1)
    assert problems(local) == [("Alert", "ACTIVE")]


def test_a_delay_lets_the_query_run_less_often_and_misses_nothing(local: Local, headers: Headers) -> None:
    slow = detector(FAILURES, **EACH)
    slow["executionSettings"]["delay"] = 1800
    create(local, headers, slow)
    step(local, 1)
    log(local, result="failed", actor="eve")
    step(local, 20)
    assert problems(local) == []

    step(local, 10)
    assert problems(local) == [("Alert", "CLOSED")]


def test_what_is_deleted_or_switched_off_closes_its_problem(local: Local, headers: Headers) -> None:
    value = detector(FAILURES, **EACH)
    first, second = create(local, headers, value), create(local, headers, value)
    log(local, result="failed", actor="eve")
    step(local, 1)
    assert problems(local) == [("Alert", "ACTIVE")] * 2

    local.call("DELETE", f"{OBJECTS}/{first}", headers=headers)
    local.call("PUT", f"{OBJECTS}/{second}", headers=headers, json={"value": {**value, "enabled": False}})
    settle(local)
    assert problems(local) == [("Alert", "CLOSED")] * 2


def test_only_some_attributes_of_an_event_reach_its_problem(local: Local, headers: Headers) -> None:
    create(local, headers, detector(FAILURES, {"dt.security_context": "pki", "team": "crypto"}, **EACH))
    log(local, result="failed", actor="eve")
    step(local, 1)

    (problem,), (event,) = found(local, "fetch dt.davis.problems"), found(local, "fetch dt.davis.events")
    assert (problem["dt.security_context"], "team" in problem) == ("pki", False)
    assert (event["dt.security_context"], event["team"]) == ("pki", "crypto")


def test_a_clock_that_is_set_back_goes_on(local: Local, headers: Headers) -> None:
    create(local, headers, detector(FAILURES, **EACH))
    step(local, 5)
    step(local, -3)
    log(local, result="failed", actor="eve")
    step(local, 1)

    assert problems(local) == [("Alert", "ACTIVE")]


def test_an_event_whose_detector_a_saved_state_lacks_is_closed(local: Local, headers: Headers) -> None:
    create(local, headers, detector(FAILURES, **EACH))
    log(local, result="failed", actor="eve")
    step(local, 1)
    state = local.sim("GET", "state")
    state["tables"]["settings_objects"] = [
        row for row in state["tables"]["settings_objects"] if "anomaly" not in row["schema_id"]
    ]
    state["tables"]["davis_detectors"] = []
    local.sim("PUT", "state", state)
    settle(local)

    assert problems(local) == [("Alert", "CLOSED")]


@pytest.mark.parametrize("minutes", [1, 7, 90])
@pytest.mark.parametrize("more", ["", ", nonempty: true"])
def test_how_far_the_clock_is_stepped_changes_nothing(local: Local, minutes: int, more: str) -> None:
    """Also where no record at all is no series: a window without records must not see those before it."""
    query = HEARTBEATS.replace("interval: 1m", f"interval: 1m{more}")
    create(local, writer(local), detector(query, **SILENT))
    settle(local)
    log(local, **{"log.source": "heart"})
    for _ in range(90 // minutes):
        step(local, minutes)
    step(local, 90 % minutes)

    found_there = [(each["event.start"][11:16], each["event.status"]) for each in found(local, PROBLEMS)]
    assert found_there == ([("10:01", "ACTIVE")] if more else [])


# what cannot be evaluated


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("fetch bizevents", "bizevents is not part of the local environment"),
        ("timeseries avg(dt.host.cpu.usage)", "timeseries is not part of the local environment"),
        ("fetch logs | limit 3", "must give one time series"),
        (f"{HEARTBEATS}, from: -1h", "no timeframe of its own"),
        (HEARTBEATS.replace("fetch logs", "fetch logs, from: -1h"), "must not have a timeframe of its own"),
        (HEARTBEATS.replace("1m", "5m"), "must have interval: 1m"),
        (HEARTBEATS.replace("count(default: 0)", "collectDistinct(content)"), "must be numbers"),
    ],
)
def test_a_query_that_cannot_be_evaluated_shows_in_the_detectors_health(
    local: Local, headers: Headers, query: str, text: str
) -> None:
    log(local, **{"log.source": "heart"})
    step(local, 1)
    object_id = create(local, headers, detector(query, **EACH))
    step(local, 3)

    ((status, message),) = health(local)
    assert (status, text in message) == ("ERROR", True), message
    local.call("PUT", f"{OBJECTS}/{object_id}", headers=headers, json={"value": detector(HEARTBEATS, **EACH)})
    step(local, 3)
    assert [each[0] for each in health(local)] == ["ERROR", "OK"]


def test_an_actor_that_may_not_read_shows_in_the_health_too(local: Local, headers: Headers) -> None:
    user = {**SERVICE_USER, "id": "5ec71900-0000-4000-8000-0000000000b1", "email": "blind@x.example"}
    local.sim("POST", "identities", {"users": [{**user, "permissions": ["storage:buckets:read"]}]})
    blind = detector(HEARTBEATS, **EACH)
    blind["executionSettings"]["actor"] = user["id"]
    create(local, headers, blind)
    step(local, 1)

    assert health(local) == [("ERROR", "The actor lacks the permission storage:logs:read.")]


# state


def test_an_active_problem_survives_a_saved_state(local: Local, headers: Headers) -> None:
    create(local, headers, detector(FAILURES, **EACH))
    log(local, result="failed", actor="eve")
    step(local, 1)
    state = local.sim("GET", "state")
    local.sim("POST", "reset")
    assert problems(local) == []

    local.sim("PUT", "state", state)
    settle(local)
    assert problems(local) == [("Alert", "ACTIVE")]
    step(local, 6)
    assert problems(local) == [("Alert", "CLOSED")]


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("properties", {"event.name": "x"}, "without event.description"),
        ("properties", {"event.name": "x", "event.description": "y", "event.type": "z"}, "not known"),
        ("dimensions", [], "expected an object"),
        ("start_us", 1, "no time that could be meant"),
        ("status", "OPEN", "CHECK constraint"),
    ],
)
def test_a_saved_state_with_a_wrong_event_is_refused(
    local: Local, headers: Headers, column: str, value: Any, text: str
) -> None:
    create(local, headers, detector(FAILURES, **EACH))
    log(local, result="failed", actor="eve")
    step(local, 1)
    state = local.sim("GET", "state")
    state["tables"]["davis_events"][0][column] = value
    answer = local.call("PUT", "/_sim/state", json=state)

    assert (answer.status_code, text in answer.text) == (400, True), answer.text


def test_without_the_scheduler_nothing_is_evaluated(local: Local, headers: Headers) -> None:
    local.sim("PATCH", "options", {"scheduler": False})
    create(local, headers, detector(FAILURES, **EACH))
    log(local, result="failed", actor="eve")
    step(local, 1)
    assert problems(local) == []

    local.sim("PATCH", "options", {"scheduler": True})
    settle(local)
    assert problems(local) == [("Alert", "ACTIVE")]
