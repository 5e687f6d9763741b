"""The stream of audit records: a company that lives by the clock."""

from __future__ import annotations

import itertools
import json
import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local_dynatrace.kernel.clock import iso
from local_dynatrace.kernel.store import Store
from local_dynatrace.kernel.world import World
from local_dynatrace.plugins import found, options_type
from local_sectigo.scm import company, records, setup, stream, wire
from local_sectigo.scm.stories import Event

MONDAY = int(datetime(2026, 1, 26, tzinfo=UTC).timestamp()) // 3600
HOUR_US = stream.HOUR_US
WEEK = [stream.events_of(1, MONDAY + hour) for hour in range(7 * 24)]
EVENTS = [event for hour in WEEK for event in hour]


def told(seed: int, hour: int) -> tuple[Event, ...]:
    stream.begun_in.cache_clear()
    stream.events_of.cache_clear()
    return stream.events_of(seed, hour)


def world_at(path: Path, hour: int, **options: object) -> World:
    world = World(options_type(found())(seed=1, **options), Store(path / "world.sqlite"))
    world.clock.set_mode("frozen")
    world.clock.jump(hour * HOUR_US)
    setup(world)
    return world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = world_at(tmp_path, MONDAY + 12, scm_history_hours=6.0)
    yield world
    world.store.close()


def ids(world: World) -> list[str]:
    return [entry["record"]["id"] for entry in records.issued(world)]


def test_a_clock_of_scm_that_is_ahead_dates_its_records_later_and_shows_them_no_later(world: World) -> None:
    world.options.scm_skew_s = 90.0
    stream.materialise(world)

    issued = records.issued(world)

    assert {entry["at_us"] - entry["visible_us"] for entry in issued} == {90_000_000}
    assert all(entry["record"]["timestamp"][:16] == iso(entry["at_us"])[:16] for entry in issued)


def test_an_hour_depends_on_nothing_but_seed_and_hour() -> None:
    assert told(1, MONDAY + 9) == told(1, MONDAY + 9)
    assert told(1, MONDAY + 9) != told(2, MONDAY + 9)


def test_every_event_is_in_its_hour_once_and_in_order() -> None:
    assert len({event.id for event in EVENTS}) == len(EVENTS)
    for hour, events in enumerate(WEEK, MONDAY):
        times = [event.at_us for event in events]
        assert times == sorted(times)
        assert all(at // HOUR_US == hour for at in times)


def sizes(days: range, hours: range) -> list[int]:
    return [len(WEEK[day * 24 + hour]) for day in days for hour in hours]


def test_offices_on_three_continents_give_the_week_its_rhythm() -> None:
    europe, america, weekend = (
        sizes(range(5), range(8, 16)),
        sizes(range(5), range(17, 23)),
        sizes(range(5, 7), range(20)),
    )

    assert 50 <= statistics.median(europe) <= 90
    assert statistics.median(europe) > statistics.median(america) * 1.2 > statistics.median(weekend) * 1.4
    assert min(sizes(range(7), range(24))) >= 15


def test_something_of_everything_happens_in_every_hour_of_day_and_night() -> None:
    for hour, events in enumerate(WEEK[1:], 1):
        missing = {"issue", "renew", "approve", "revoke", "login"} - {event.action for event in events}
        assert not missing, f"hour {hour} of the week"


def test_people_work_in_the_daytime_of_their_own_office() -> None:
    day, night = (
        Counter(e.actor for hour in hours for e in WEEK[hour] if e.action in ("approve", "login")) for hours in
        (range(7, 13), range(0, 6))
    )  # fmt: skip
    offices = {person.login: person.office for person in company.ADMINS}

    assert sum(count for login, count in day.items() if offices[login] is company.GOTHENBURG) > day.total() / 2
    assert sum(count for login, count in night.items() if offices[login] is company.SINGAPORE) > night.total() / 2


def test_there_are_ties_and_microseconds() -> None:
    times = Counter(event.at_us for event in EVENTS)

    assert any(count > 1 for count in times.values())
    assert sum(at % 1000 != 0 for at in times) > len(times) * 0.9


@pytest.mark.slow
def test_bursts_occur() -> None:
    month = [len(stream.events_of(1, MONDAY + hour)) for hour in range(30 * 24)]

    assert max(month) > 90


def test_the_words_of_the_manual_are_among_the_actions() -> None:
    spoken = {(event.service, event.action) for event in EVENTS}

    assert spoken >= {
        ("scm", "issue"), ("scm", "renew"), ("scm", "revoke"), ("scm", "schedule"),
        ("notification.processor", "webhook_notification_prepare"), ("notification.sender", "webhook_send_failure"),
        ("scm", "login_failure"),
    }  # fmt: skip
    assert len(spoken) > 35


def test_a_certificate_is_requested_before_it_is_approved_and_then_issued() -> None:
    requested = [e for e in EVENTS[: len(EVENTS) // 2] if e.action == "request" and e.category == "ssl"]
    assert requested
    for request in requested:
        life = [e for e in EVENTS if e.object_type == "scm.ssl" and e.object_id == request.object_id]
        by_action = {e.action: e for e in life if e.object_name == request.object_name}
        if "approve" in by_action:
            assert request.at_us < by_action["approve"].at_us
            assert by_action["approve"].actor != request.actor
        if "approve" in by_action and "issue" in by_action:
            assert by_action["approve"].at_us < by_action["issue"].at_us


def test_warnings_name_the_certificate_that_is_renewed_later() -> None:
    host = next(host for host in company.HOSTS if host.enrolled_by == "manual")
    issued = host.issued_hour(MONDAY) + host.period_h

    assert host.certificate_id(issued - 1) == host.certificate_id(issued - host.period_h)
    assert host.certificate_id(issued) != host.certificate_id(issued - 1)
    renewals = [e for e in (*stream.events_of(1, issued), *stream.events_of(1, issued + 1)) if e.action == "renew"]
    assert host.certificate_id(issued) in {e.object_id for e in renewals}


def test_hosts_are_many_and_names_are_reserved_ones() -> None:
    assert len(company.HOSTS) >= 55
    assert all(host.name.endswith(".nordhav.example") for host in company.HOSTS)


def test_a_record_on_the_wire_has_the_derived_fields() -> None:
    event = next(event for event in EVENTS if event.action == "revoke")
    body = json.loads(wire.text(wire.record(event)))

    assert set(body) == {
        "id", "timestamp", "type", "service", "action", "category", "status", "customerId", "objectType", "objectId",
        "objectName", "details", "actor", "ip",
    }  # fmt: skip
    assert len(body["timestamp"]) == len("2026-01-29T09:44:11.611092Z")


def test_the_first_time_the_history_is_filled(world: World) -> None:
    count = stream.materialise(world)
    times = [entry["at_us"] for entry in records.issued(world)]

    assert count == len(times) > 0
    assert (MONDAY + 6) * HOUR_US <= times[0] <= times[-1] <= world.clock.now_us()


def test_nothing_comes_twice_however_often_one_asks(world: World) -> None:
    stream.materialise(world)
    for _ in range(30):
        world.clock.step(137)
        stream.materialise(world)
    step_by_step = ids(world)
    expected = [
        e.id
        for hour in range(MONDAY + 6, MONDAY + 14)
        for e in stream.events_of(1, hour)
        if (MONDAY + 6) * HOUR_US < e.at_us <= world.clock.now_us()
    ]

    assert step_by_step == expected


def test_nothing_is_written_when_nothing_is_due(world: World) -> None:
    stream.materialise(world)
    before = world.store.db.total_changes

    assert stream.materialise(world) == 0
    assert world.store.db.total_changes == before


def test_the_stream_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = world_at(tmp_path, MONDAY + 12, scm_history_hours=2.0)
    stream.materialise(first)
    before = ids(first)
    first.store.close()
    second = world_at(tmp_path, MONDAY + 14, scm_history_hours=2.0)
    stream.materialise(second)
    after = ids(second)
    second.store.close()

    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert len(set(after)) == len(after)


@pytest.mark.slow
def test_a_jump_of_years_is_filled_for_a_month_only(world: World) -> None:
    stream.materialise(world)
    world.clock.step(10 * 365 * 86_400)
    stream.materialise(world)
    times = [entry["at_us"] for entry in records.issued(world)]
    gap = max(b - a for a, b in itertools.pairwise(times))

    assert gap > 9 * 365 * 24 * HOUR_US
    assert len(times) < 40_000


def test_a_clock_set_back_hides_the_future_and_repeats_nothing(world: World) -> None:
    stream.materialise(world)
    every = ids(world)
    world.clock.step(-7200)
    stream.materialise(world)
    seen = records.issued(world, visible_only=True)
    world.clock.step(7200)
    stream.materialise(world)

    assert 0 < len(seen) < len(every)
    assert ids(world) == every


def test_late_visibility_stays_within_the_option(tmp_path: Path) -> None:
    world = world_at(tmp_path, MONDAY + 12, scm_history_hours=3.0, scm_visible_late_s=300.0)
    stream.materialise(world)
    late = [entry["visible_us"] - entry["at_us"] for entry in records.issued(world)]
    world.store.close()

    assert 0 <= min(late) < 60_000_000
    assert 240_000_000 < max(late) <= 300_000_000


def test_the_stream_can_be_switched_off(tmp_path: Path) -> None:
    world = world_at(tmp_path, MONDAY + 12, scm_stream=False)
    count = stream.materialise(world)
    world.store.close()

    assert count == 0
