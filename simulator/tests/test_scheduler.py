"""Schedules: when they start a workflow, on a clock that only the tests move."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from local_dynatrace.automation import schedule
from local_dynatrace.kernel.clock import MICROSECONDS, iso
from local_dynatrace.testing import Local
from local_dynatrace.testing.flows import API, author, body, create, every, get, play, settle, start

MINUTE = 60


@pytest.fixture
def local(watched: Local) -> Local:
    return watched


def step(local: Local, seconds: float) -> None:
    local.sim("POST", "clock", {"step": seconds})
    settle(local)


def starts(local: Local, workflow: str) -> list[str]:
    """When the workflow was started by its schedule, as HH:MM:SS."""
    found = get(local, author(local), "executions", workflow=workflow, triggerType="Schedule", ordering="startedAt")
    return [execution["startedAt"][11:19] for execution in found["results"]]


def next_execution(local: Local, workflow: str) -> str | None:
    found = get(local, author(local), f"workflows/{workflow}")
    at: str | None = found["trigger"]["schedule"]["nextExecution"]
    return at


def test_an_interval_ticks_from_its_activation(local: Local) -> None:
    step(local, 90)
    made = create(local, author(local), trigger=every(10))
    assert made["trigger"]["schedule"]["nextExecution"] == "2026-01-29T10:11:30.000Z"

    for _ in range(3):
        step(local, 10 * MINUTE)

    assert starts(local, made["id"]) == ["10:11:30", "10:21:30", "10:31:30"]
    assert next_execution(local, made["id"]) == "2026-01-29T10:41:30.000Z"
    found = get(local, author(local), "executions", workflow=made["id"])["results"][0]
    assert (found["user"], found["triggerType"], found["state"]) == (None, "Schedule", "SUCCESS")


def test_a_late_tick_does_not_shift_those_after_it(local: Local) -> None:
    made = create(local, author(local), trigger=every(10))

    step(local, 10 * MINUTE + 7)
    step(local, 10 * MINUTE)

    assert starts(local, made["id"]) == ["10:10:07", "10:20:07"]
    assert next_execution(local, made["id"]) == "2026-01-29T10:30:00.000Z"


def test_a_dropped_tick_starts_nothing_and_is_noted_as_lost(local: Local) -> None:
    made, other = (create(local, author(local), title=title, trigger=every(10)) for title in ("dropped", "other"))
    rule = {"tick": "drop", "path": f"/workflows/{made['id']}", "nth": 2, "times": 2}
    local.sim("POST", "faults", rule)

    for _ in range(4):
        step(local, 10 * MINUTE)

    assert starts(local, made["id"]) == ["10:10:00", "10:40:00"]
    assert starts(local, other["id"]) == ["10:10:00", "10:20:00", "10:30:00", "10:40:00"]
    found = get(local, author(local), f"workflows/{made['id']}")
    assert found["unacknowledgedSkippedScheduleAt"] == "2026-01-29T10:20:00.000Z"
    (shown,) = local.sim("GET", "faults")["faults"]
    assert (shown["seen"], shown["hit"]) == (4, 2)


def test_a_clock_stepped_over_many_ticks_starts_one_run_and_notes_the_lost_ones(local: Local) -> None:
    made = create(local, author(local), trigger=every(10))

    step(local, 65 * MINUTE)

    assert starts(local, made["id"]) == ["11:05:00"]
    found = get(local, author(local), f"workflows/{made['id']}")
    assert found["unacknowledgedSkippedScheduleAt"] == "2026-01-29T10:10:00.000Z"
    assert found["trigger"]["schedule"]["nextExecution"] == "2026-01-29T11:10:00.000Z"


@pytest.mark.parametrize("change", [{"isDeployed": False}, {"trigger": {"schedule": None}}])
def test_an_undeployed_workflow_or_one_without_schedule_does_not_tick(local: Local, change: dict[str, Any]) -> None:
    made = create(local, author(local), trigger=every(10))
    local.call("PUT", f"{API}/workflows/{made['id']}", headers=author(local), json=change)

    step(local, 30 * MINUTE)

    assert starts(local, made["id"]) == []


def test_an_inactive_schedule_does_not_tick_and_counts_from_when_it_is_activated(local: Local) -> None:
    made = create(local, author(local), trigger={"schedule": {**every(10)["schedule"], "isActive": False}})
    step(local, 15 * MINUTE)
    local.call("PUT", f"{API}/workflows/{made['id']}", headers=author(local), json={"trigger": every(10)})
    step(local, 10 * MINUTE)

    assert starts(local, made["id"]) == ["10:25:00"]


def test_an_edit_of_something_else_leaves_the_ticks_where_they_were(local: Local) -> None:
    made = create(local, author(local), trigger=every(10))
    step(local, 6 * MINUTE)
    local.call("PUT", f"{API}/workflows/{made['id']}", headers=author(local), json=body(title="Renamed"))
    step(local, 4 * MINUTE)

    assert starts(local, made["id"]) == ["10:10:00"]


def test_runs_overlap_freely(local: Local) -> None:
    forever = "export default () => new Promise(() => {});"
    made = create(local, author(local), forever, trigger=every(1))

    local.sim("POST", "clock", {"step": MINUTE})
    local.sim("POST", "clock", {"step": MINUTE - 1})
    local.sim("POST", "clock", {"step": 1})

    assert get(local, author(local), "executions", workflow=made["id"], state="RUNNING")["count"] == 2


def test_a_throttled_tick_is_lost(local: Local) -> None:
    made = create(local, author(local), trigger=every(10), hourlyExecutionLimit=1)

    step(local, 10 * MINUTE)
    step(local, 10 * MINUTE)

    assert starts(local, made["id"]) == ["10:10:00"]
    found = get(local, author(local), f"workflows/{made['id']}")
    assert found["unacknowledgedSkippedScheduleAt"] == "2026-01-29T10:20:00.000Z"


@pytest.mark.slow
def test_the_plan_survives_a_restart(local: Local) -> None:
    made = create(local, author(local), trigger=every(10))
    local.stop()
    local.start()
    step(local, 10 * MINUTE)

    assert starts(local, made["id"]) == ["10:10:00"]


def test_the_automatic_clock_passes_ticks_one_by_one_while_a_script_waits(local: Local) -> None:
    ticking = create(local, author(local), trigger=every(1))
    waiting = create(local, author(local), "export default () => new Promise((done) => setTimeout(done, 119_000));")
    start(local, author(local), waiting["id"])

    local.sim("POST", "clock", {"mode": "auto"})
    settle(local)

    assert starts(local, ticking["id"]) == ["10:01:00"]


def test_the_automatic_clock_never_moves_for_a_schedule_alone(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "auto"})
    made = create(local, author(local), trigger=every(10))
    assert play(local, "export default () => 1;").result == 1

    assert starts(local, made["id"]) == []
    assert local.sim("GET", "clock")["now"] == "2026-01-29T10:00:00.000Z"


def test_a_preview_tells_the_next_starts_or_what_is_wrong(local: Local) -> None:
    path, headers = f"{API}/schedules/preview", author(local)
    daily = {"schedule": {"trigger": {"type": "time", "time": "06:30"}, "timezone": "Europe/Berlin"}}

    found = local.call("POST", path, headers=headers, json=daily).json()
    assert (found["valid"], found["nextExecutions"][0]) == (True, "2026-01-30T05:30:00.000Z")
    wrong = local.call("POST", path, headers=headers, json={"schedule": {"trigger": {"type": "time", "time": "25"}}})
    assert list(wrong.json()["error"]["details"]) == ["schedule"]


@pytest.mark.parametrize(
    ("trigger", "zone", "after", "expected"),
    [
        ({"type": "cron", "cron": "*/10 * * * *"}, "UTC", "2026-01-29T10:00:00", "2026-01-29T10:10:00"),
        ({"type": "cron", "cron": "5 4 * * mon-fri"}, "UTC", "2026-01-30T04:05:00", "2026-02-02T04:05:00"),
        ({"type": "cron", "cron": "0 0 1,15 * 0"}, "UTC", "2026-01-29T10:00:00", "2026-02-01T00:00:00"),
        ({"type": "cron", "cron": "0 0 13 * 5"}, "UTC", "2026-01-29T10:00:00", "2026-01-30T00:00:00"),
        ({"type": "cron", "cron": "0 12 29 2 *"}, "UTC", "2026-03-01T00:00:00", "2028-02-29T12:00:00"),
        ({"type": "cron", "cron": "0 0 31 2 *"}, "UTC", "2026-03-01T00:00:00", None),
        ({"type": "time", "time": "10:00"}, "UTC", "2026-01-29T10:00:00", "2026-01-30T10:00:00"),
        ({"type": "time", "time": "00:30"}, "Europe/Berlin", "2026-06-01T00:00:00", "2026-06-01T22:30:00"),
        # Clocks go forward: half past two does not exist that night, and is reached an hour of wall clock later.
        ({"type": "time", "time": "02:30"}, "Europe/Berlin", "2026-03-28T20:00:00", "2026-03-29T01:30:00"),
        ({"type": "once", "at": "2026-02-01T08:00:00"}, "UTC", "2026-01-29T10:00:00", "2026-02-01T08:00:00"),
        ({"type": "once", "at": "2026-01-01T08:00:00"}, "UTC", "2026-01-29T10:00:00", None),
        ({"type": "interval", "intervalMinutes": 720}, "UTC", "2026-01-29T10:00:00", "2026-01-29T22:00:00"),
    ],
)
def test_the_tick_that_follows_a_moment(trigger: dict[str, Any], zone: str, after: str, expected: str | None) -> None:
    at = int(datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp()) * MICROSECONDS

    found = schedule.following({"trigger": trigger, "timezone": zone}, at, at)
    assert (found and iso(found)[:19]) == expected


@pytest.mark.parametrize("text", ["* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "1,, * * * *"])
def test_a_wrong_cron_expression_is_refused(text: str) -> None:
    from local_dynatrace.automation import cron

    with pytest.raises(ValueError, match="cron expression"):
        cron.parse(text)
