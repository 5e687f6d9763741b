"""Every detector: what opens its problem, what closes it, and what must not open it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.watch.detection import PROVIDER, Watched
from tests.watch.dql import ANOTHER, Row, audit, failed, report
from workflow_src.watch.detectors import Detector, alert_test, own_detectors, record_detectors

INTERVAL = 10
SILENT, FAILS, BEHIND, SET_ASIDE = own_detectors(INTERVAL)


def named(detector: Detector) -> str:
    return f"Sectigo SCM: {detector.title}"


def opened(detector: Detector) -> list[tuple[str, str]]:
    return [(named(detector), "ACTIVE")]


def closed(detector: Detector) -> list[tuple[str, str]]:
    return [(named(detector), "CLOSED")]


LATE = 15
"""Minutes after its time that a record may arrive, at this interval: SCM shows it late, and the next run sends it."""


def run(watched: Watched, outcome: str = "caught up", **more: Any) -> None:
    """A run reports, and the next one is due."""
    watched.send(report(outcome, **{"workflow": watched.workflow, **more}))
    watched.step(INTERVAL)


# own detectors


def test_a_new_deployment_opens_nothing(watched: Watched) -> None:
    watched.deploy(SILENT, FAILS, BEHIND, SET_ASIDE)
    watched.send(report(workflow=watched.workflow))
    for _ in range(3):
        watched.step(1)
        assert watched.problems() == []


def test_silence_of_three_intervals_opens_a_problem_and_one_report_closes_it(watched: Watched) -> None:
    watched.deploy(SILENT)
    run(watched)
    for _ in range(3):
        assert watched.problems() == []
        watched.step(INTERVAL)
    watched.step(5)
    assert watched.problems() == opened(SILENT)
    watched.step(180)
    assert watched.problems() == opened(SILENT)

    run(watched)

    assert watched.problems() == closed(SILENT)
    assert [mail["subject"].split(" ", 1)[1] for mail in watched.mails()] == [named(SILENT)]


def test_a_connector_that_never_reports_is_silent(watched: Watched) -> None:
    watched.deploy(SILENT)

    watched.step(40)

    assert watched.problems() == opened(SILENT)


def test_another_connectors_reports_and_skipped_runs_do_not_hide_silence(watched: Watched) -> None:
    watched.deploy(SILENT)
    for _ in range(5):
        watched.send(report(workflow=ANOTHER))
        run(watched, "skipped")

    assert watched.problems() == opened(SILENT)


def test_a_pause_is_no_silence_and_neither_is_the_moment_after_it(watched: Watched) -> None:
    ((id, props),) = watched.deploy(SILENT)
    run(watched)
    paused = {**props, "enabled": False}
    paused |= PROVIDER.update_object(watched.environment, id, props, paused)  # type: ignore[arg-type]
    watched.step(300)
    assert watched.problems() == []

    watched.environment.automation.update_workflow(watched.workflow, {"description": "resumed"})
    resumed = {**paused, "enabled": True}
    PROVIDER.update_object(watched.environment, id, paused, resumed)  # type: ignore[arg-type]
    watched.step(INTERVAL)
    assert watched.problems() == []
    watched.step(3 * INTERVAL)
    assert watched.problems() == opened(SILENT)


def test_two_of_three_failed_runs_open_a_problem(watched: Watched) -> None:
    watched.deploy(FAILS)
    run(watched, "failed")
    for _ in range(4):
        run(watched)
    assert watched.problems() == [], "one failed run is no problem"

    run(watched, "failed")
    run(watched)
    run(watched, "failed")
    assert watched.problems() == opened(FAILS)
    for _ in range(4):
        run(watched)
    assert watched.problems() == closed(FAILS)


def test_two_runs_that_begin_far_behind_open_a_problem(watched: Watched) -> None:
    watched.deploy(BEHIND)
    run(watched, "more waiting", lagSeconds="79200")
    for number in range(2, 9):
        watched.send(report("more waiting", workflow=watched.workflow, leg=str(number), lagSeconds="40000"))
        watched.step(2)
    run(watched)
    assert watched.problems() == [], "a catch-up that has just begun is no problem"

    watched.step(60)
    run(watched, lagSeconds="1801")
    run(watched, lagSeconds="2400")
    assert watched.problems() == opened(BEHIND)
    for _ in range(7):
        run(watched)
    assert watched.problems() == closed(BEHIND)


def test_a_record_that_was_set_aside_opens_a_problem(watched: Watched) -> None:
    watched.deploy(SET_ASIDE)
    run(watched)
    assert watched.problems() == []

    run(watched, setAside="1")
    assert watched.problems() == opened(SET_ASIDE)
    for _ in range(4):
        run(watched)
    assert watched.problems() == closed(SET_ASIDE)


@pytest.mark.parametrize("interval", [1, 20])
def test_silence_is_seen_at_the_shortest_and_the_longest_interval(watched: Watched, interval: int) -> None:
    silent = own_detectors(interval)[0]
    watched.deploy(silent)
    for _ in range(4):
        watched.send(report(workflow=watched.workflow))
        watched.step(interval)
        assert watched.problems() == []

    watched.step(2 * interval)
    assert watched.problems() == []
    watched.step(interval + 4)
    assert watched.problems() == opened(silent)


# detections in the audit records

CASES: dict[str, tuple[int, Row, Row]] = {
    "failedSignIns": (
        10, failed("login_failure", **{"audit.identity": "eve", "client.ip": "192.0.2.1"}), audit("login")),
    "revocations": (10, audit("revoke"), audit("issue")),
    "administrators": (
        1, audit("update", **{"object.type": "scm.admin"}), audit("view", **{"object.type": "scm.admin"})),
    "apiKeys": (
        1, audit("create", **{"object.type": "scm.audit.apikey"}), audit("create", **{"object.type": "scm.ssl"})),
    "access": (
        1, audit("update", **{"object.type": "scm.customer.notification.webhook"}),
        audit("webhook_send", **{"object.type": "scm.customer.notification.webhook"})),
    "policies": (
        1, audit("update", **{"object.type": "scm.domain"}), audit("approve", **{"object.type": "scm.ssl"})),
    "wildcards": (
        1, audit("issue", **{"object.name": "*.nordhav.example"}),
        audit("issue", **{"object.name": "a.nordhav.example"})),
    "notifications": (
        5, failed("webhook_send_failure", **{"object.name": "pager"}),
        audit("webhook_send", **{"object.name": "pager"})),
}  # fmt: skip
"""Number that opens a problem, a record that counts, and one that does not."""


def test_every_detection_has_a_case() -> None:
    assert list(CASES) == [detector.key for detector in record_detectors(dict.fromkeys(CASES, 1), INTERVAL)]


@pytest.mark.parametrize("minutes_ago", [0, LATE])
@pytest.mark.parametrize("key", CASES)
def test_a_detection_opens_at_its_number_and_not_before(watched: Watched, key: str, minutes_ago: int) -> None:
    number, counts, other = CASES[key]
    (detector,) = record_detectors({key: number}, INTERVAL)
    watched.deploy(detector)
    watched.send(*[other] * 20, minutes_ago=minutes_ago)
    watched.step(2)
    if number > 1:
        watched.send(*[counts] * (number - 2), minutes_ago=minutes_ago)
        watched.step(2)
        watched.send(counts, minutes_ago=minutes_ago)
        watched.step(2)
    assert watched.problems() == []

    watched.send(counts, minutes_ago=minutes_ago)
    watched.step(2)

    assert watched.problems() == opened(detector)
    watched.step(60)
    assert watched.problems() == closed(detector)


def test_what_lies_further_apart_than_the_time_of_a_detection_does_not_add_up(watched: Watched) -> None:
    (detector,) = record_detectors({"revocations": 10}, INTERVAL)
    watched.deploy(detector)
    for _ in range(6):
        watched.send(*[audit("revoke")] * 4)
        watched.step(12)

    assert watched.problems() == []


def test_old_records_of_a_catch_up_open_nothing(watched: Watched) -> None:
    (detector,) = record_detectors({"revocations": 10}, INTERVAL)
    watched.deploy(detector)
    watched.send(*[audit("revoke", **{"scm.backfill": "true"})] * 100)
    watched.step(2)

    assert watched.problems() == []


def test_actors_are_counted_separately_and_named(watched: Watched) -> None:
    (detector,) = record_detectors({"apiKeys": 1}, INTERVAL)
    watched.deploy(detector)
    for actor in ("ann", "bob"):
        watched.send(audit("create", **{"object.type": "scm.audit.apikey", "audit.identity": actor}))
    watched.step(2)

    assert watched.problems() == opened(detector) * 2
    texts = [mail["content"] for mail in watched.mails()]
    assert sorted(name for name in ("ann", "bob") if any(f"actor {name}" in text for text in texts)) == ["ann", "bob"]


def test_the_test_alert_opens_at_once_and_closes_when_its_detector_goes(watched: Watched) -> None:
    ((id, props),) = watched.deploy(alert_test())
    watched.step(2)
    assert watched.problems() == opened(alert_test())
    assert len(watched.mails()) == 1

    PROVIDER.delete_object(watched.environment, id, props)  # type: ignore[arg-type]
    watched.step(1)
    assert watched.problems() == closed(alert_test())
