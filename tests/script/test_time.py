"""Time: cases 11 to 18 of the torture list (facts: sectigo 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from .connector import RECORDS, Connector, moment, record

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_11_a_record_that_becomes_visible_three_minutes_late_arrives(connector: Connector) -> None:
    connector.issue(*connector.records_before(3))
    connector.issue(record("late", connector.now - 2 * MINUTE), visible_after_s=60)
    connector.run()
    assert "late" not in connector.ids_arrived()

    connector.pass_time(10)
    connector.run()

    assert connector.ids_arrived() == ["late", "r0", "r1", "r2"]


def test_11_the_overlap_of_five_minutes_is_the_limit_for_late_records(connector: Connector) -> None:
    connector.run()
    reached = connector.reached
    assert reached is not None
    connector.issue(
        record("within", reached - 5 * MINUTE + timedelta(microseconds=1)),
        record("beyond", reached - 5 * MINUTE),
        record("an hour late", reached - HOUR),
    )
    connector.pass_time(10)

    connector.run()

    assert connector.ids_arrived() == ["within"]


def test_12_no_query_begins_later_than_the_checkpoint_and_the_next_microsecond_arrives(connector: Connector) -> None:
    connector.write("checkpoint", "2026-01-29T09:44:11.611092Z|9d3cd09c-0000-4000-8000-000000000000")
    connector.issue(record("next", "2026-01-29T09:44:11.611093Z"))

    connector.run()

    assert connector.queries[0]["from"] == "2026-01-29T09:39:11.611092Z"
    assert connector.ids_arrived() == ["next"]


@pytest.mark.parametrize(
    "now", ["2026-03-29T02:30:00Z", "2026-10-25T01:30:00Z", "2028-02-29T00:30:00Z", "2027-01-01T00:30:00Z"]
)
def test_13_two_hours_are_7200_seconds_on_every_day_of_the_calendar(connector: Connector, now: str) -> None:
    connector.local.sim("POST", "clock", {"jump": now})
    connector.headers = Connector(connector.local).headers

    ran = connector.run()

    begin, end = (datetime.fromisoformat(ran.result[name]) for name in ("windowFrom", "windowTo"))
    assert (end - begin).total_seconds() == 7200
    assert end == datetime.fromisoformat(now) - MINUTE
    assert ran.result["windowFrom"].endswith("Z")


def test_14_a_checkpoint_three_days_ahead_is_brought_back_to_now_and_records_flow(connector: Connector) -> None:
    connector.write("checkpoint", "2026-02-01T10:00:00Z|x")
    connector.issue(*connector.records_before(2))

    ran = connector.run()

    assert len(ran.warnings) == 1 and "the checkpoint is in the future" in ran.warnings[0]
    assert connector.ids_arrived() == ["r0", "r1"]
    assert connector.reached == connector.now - MINUTE
    for _ in range(3):
        connector.pass_time(10)
        connector.issue(record(f"at {connector.now}", connector.now - 8 * MINUTE))
        assert connector.run().warnings == []
    assert len(connector.arrived()) == 5


def test_14_a_wrong_high_water_mark_goes_back_to_the_newest_accepted_record(connector: Connector) -> None:
    ts = connector.now - 30 * MINUTE
    connector.write("checkpoint", f'{moment(ts)}|x\n{{"v":1,"hw":"2026-02-01T10:00:00Z"}}')
    connector.issue(record("after ts", ts + MINUTE))

    connector.run()

    assert connector.ids_arrived() == ["after ts"]


def scm_clock(connector: Connector, minutes: float) -> None:
    """SCM's clock differs from the host's by so much from now on."""
    connector.clear_faults()
    date = format_datetime((connector.now + timedelta(minutes=minutes)).replace(microsecond=0), usegmt=True)
    for path in (RECORDS, "/auth/*"):
        connector.fault(api="*", path=path, caller="script", times=None, headers={"Date": date})


@pytest.mark.parametrize("minutes", [-10, 10], ids=["host fast", "host slow"])
def test_15_a_host_clock_that_is_off_makes_no_gap(connector: Connector, minutes: int) -> None:
    for run in range(4):
        scm_clock(connector, minutes)
        scm_now = connector.now + timedelta(minutes=minutes)
        # Stamped by SCM, whose clock is right: one that is two minutes old, one that comes only after this run.
        connector.issue(record(f"seen {run}", scm_now - 2 * MINUTE))
        (warning,) = connector.run().warnings
        assert "the clocks of" in warning and "is 10 minutes ahead" in warning
        connector.issue(record(f"later {run}", scm_now + timedelta(seconds=20)))
        connector.pass_time(10)
    # The earlier of the two clocks decides: the last records come when it has reached them.
    connector.clear_faults()
    connector.pass_time(10)
    connector.run()

    assert connector.ids_arrived() == sorted(f"{name} {run}" for name in ("seen", "later") for run in range(4))
    assert all(query["from"] <= query["to"] for query in connector.queries if "from" in query)


def test_15_a_host_clock_that_is_put_right_makes_no_gap(connector: Connector) -> None:
    for minutes in (-10, 0, 10, 0):
        scm_clock(connector, minutes)
        scm_now = connector.now + timedelta(minutes=minutes)
        connector.issue(record(f"{minutes} {connector.now}", scm_now - 2 * MINUTE))
        connector.run()
        connector.pass_time(10)

    assert len(set(connector.ids_arrived())) == 4


def test_15_a_host_that_is_ahead_loses_nothing_where_no_date_header_comes(connector: Connector) -> None:
    connector.options(script_skew_s=600)
    for api in ("scm", "scm-sso"):
        connector.fault(api=api, caller="script", strip_headers=["date"], times=None)
    issued = []
    for n in range(40):
        issued.append(f"r{n}")
        connector.issue(record(issued[-1], connector.now))
        if n % 10 == 0:
            connector.run()
            assert connector.reached is not None and connector.reached <= connector.now
        connector.pass_time(1)
    connector.pass_time(3)

    connector.run()

    assert set(connector.ids_arrived()) == set(issued)


@pytest.mark.parametrize("minutes", [-7, 7, 60, 3 * 24 * 60])
def test_L1_a_date_header_that_is_wrong_loses_no_record(connector: Connector, minutes: int) -> None:
    warnings = []
    for n in range(3):
        scm_clock(connector, minutes)
        connector.issue(*(record(f"{n} {i}", connector.now + timedelta(seconds=6 * i - 300)) for i in range(100)))
        warnings += connector.run().warnings
        assert connector.reached is not None and connector.reached <= connector.now - MINUTE
        connector.pass_time(10)
    connector.pass_time(10)
    scm_clock(connector, minutes)
    connector.run()

    assert set(connector.ids_arrived()) == {f"{n} {i}" for n in range(3) for i in range(100)}
    # A Date that is a day off is no clock.
    assert len(warnings) == (0 if minutes > 24 * 60 else 3)
    assert all(f"SCM is {moved} ahead" in line for line in warnings for moved in [f"{minutes} minutes"] if minutes == 7)


def test_L26_a_first_run_under_a_host_clock_hours_ahead_reads_its_history(connector: Connector) -> None:
    connector.options(script_skew_s=5 * 3600.0)
    connector.fault(
        api="automation", path="/platform/automation/v1/executions*", caller="script", status=403, times=None
    )
    connector.issue(*connector.records_before(50, apart_s=60))

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert len(connector.ids_arrived()) == 50
    assert any("the host is 5 hours ahead" in line for line in ran.warnings), ran.log
    # The header has no part of a second.
    assert connector.reached is not None and connector.reached <= connector.now - MINUTE + timedelta(seconds=1)


def test_L26_a_first_run_that_learns_the_time_from_a_page_only_is_planned_again(connector: Connector) -> None:
    connector.options(script_skew_s=5 * 3600.0)
    connector.fault(api="scm-sso", caller="script", strip_headers=["date"], times=1)
    connector.fault(
        api="automation", path="/platform/automation/v1/executions*", caller="script", status=403, times=None
    )
    connector.issue(*connector.records_before(50, apart_s=60))

    assert connector.run().outcome == "more waiting"
    connector.pass_time(4)
    assert connector.run().outcome == "caught up"

    assert len(connector.ids_arrived()) == 50


@pytest.mark.parametrize("machine", ["", '\n{"v":1,"hw":"2026-02-01T10:00:00Z"}'], ids=["bare", "high water"])
def test_L14_a_checkpoint_in_the_future_heals_and_repeats_what_it_cannot_know(
    connector: Connector, machine: str
) -> None:
    connector.write("checkpoint", f"2026-02-01T10:00:00Z|x{machine}")
    connector.issue(record("three days old", connector.now - 3 * 24 * HOUR), *connector.records_before(2))

    ran = connector.run()

    assert connector.ids_arrived() == ["r0", "r1", "three days old"]
    human, _ = connector.checkpoint
    assert datetime.fromisoformat(human.removesuffix("|r1")) == connector.now - 2 * MINUTE
    assert ran.result["coveredFrom"] < ran.result["coveredTo"]
    connector.pass_time(10)
    assert connector.run().warnings == []


@pytest.mark.parametrize(
    ("given", "begin"),
    [
        ("2026-01-29T06:00:00", "2026-01-29T06:00:00Z"),
        ("2026-01-29T08:00:00+02:00", "2026-01-29T06:00:00Z"),
        ("2026-01-29", "2026-01-29T00:00:00Z"),
        ("", "2026-01-29T07:59:00Z"),
        (None, "2026-01-29T07:59:00Z"),
    ],
    ids=["naive", "offset", "date", "empty", "null"],
)
def test_16_an_initial_checkpoint_is_where_reading_begins(connector: Connector, given: str | None, begin: str) -> None:
    connector.write("config", f'{{"initialCheckpoint":{"null" if given is None else chr(34) + given + chr(34)}}}')

    ran = connector.run()

    assert ran.result["windowFrom"] == begin
    assert ran.warnings == []


@pytest.mark.parametrize("given", ["yesterday", "2026-02-29T00:00:00Z", "2026-01-29T10:00:01Z", "1999-01-01T00:00:00Z"])
def test_16_an_initial_checkpoint_that_is_none_is_ignored_with_a_warning(connector: Connector, given: str) -> None:
    connector.write("config", f'{{"initialCheckpoint":"{given}"}}')

    ran = connector.run()

    assert ran.result["windowFrom"] == "2026-01-29T07:59:00Z"
    assert len(ran.warnings) == 1 and "initialCheckpoint must be" in ran.warnings[0]


def test_16_an_initial_checkpoint_is_applied_once_and_clearing_it_does_nothing(connector: Connector) -> None:
    connector.write("config", '{"initialCheckpoint":"2026-01-29T06:00:00Z"}')
    begins = []
    for config in (
        '{"initialCheckpoint":"2026-01-29T06:00:00.000+00:00"}',
        "{}",
        '{"initialCheckpoint":"2026-01-29T05:00Z"}',
    ):
        begins.append(connector.run().result["windowFrom"])
        connector.pass_time(10)
        connector.write("config", config)
    begins += [connector.run().result["windowFrom"]]

    assert begins[0] == "2026-01-29T06:00:00Z" and begins[3] == "2026-01-29T05:00:00Z"
    assert begins[1:3] == ["2026-01-29T09:54:00Z", "2026-01-29T10:04:00Z"]


def test_16_a_kill_between_the_slices_of_an_initial_checkpoint_leaves_no_slice_out(connector: Connector) -> None:
    connector.run()
    connector.issue(*(record(f"h{hours}", connector.now - hours * HOUR) for hours in range(2, 23)))
    connector.write("config", f'{{"initialCheckpoint":"{moment(connector.now - 23 * HOUR)}"}}')
    # After each slice's pages there is a pause, in which the checkpoint is saved.
    connector.page_fault(times=None, delay_s=11)
    connector.fault(
        api="vault", method="PUT", path=f"*/{connector.ids['checkpoint']}", nth=3, script="kill", when="after"
    )
    assert connector.run().state == "ERROR"
    assert connector.checkpoint[1]["initial"]
    connector.clear_faults()

    connector.run()

    assert set(connector.ids_arrived()) == {f"h{hours}" for hours in range(2, 23)}


@pytest.mark.parametrize(
    ("given", "hours", "warned"),
    [
        ('"2h"', 2, False), ('"1d"', 24, False), ('"5d12h"', 132, False), ('"2d2h"', 50, False), ('" 2H "', 2, False),
        ('"0h"', 2, True), ('"-1h"', 2, True), ('"90m"', 2, True), ('"1h2d"', 2, True), ('"999d"', 2, True),
        ("7200", 2, True),
    ],
)  # fmt: skip
def test_17_the_history_is_what_its_text_says_or_two_hours_with_a_warning(
    connector: Connector, given: str, hours: int, warned: bool
) -> None:
    connector.write("config", f'{{"initHistoryDuration":{given}}}')

    ran = connector.run()

    begin, end = (datetime.fromisoformat(ran.result[name]) for name in ("windowFrom", "windowTo"))
    assert end - begin == hours * HOUR
    assert bool(ran.warnings) is warned


@pytest.mark.parametrize("old_records", ["drop", "silent", "refuse"])
def test_18_records_older_than_a_day_are_sent_with_the_present_time_and_keep_theirs(
    connector: Connector, old_records: str
) -> None:
    connector.options(old_records=old_records)
    connector.write("config", '{"initHistoryDuration":"5d12h"}')
    ages = {"old": 100 * HOUR, "a day": 24 * HOUR, "nearly": 24 * HOUR - 9 * MINUTE, "young": 23 * HOUR}
    connector.issue(*(record(id, connector.now - age) for id, age in ages.items()))

    ran = connector.run()

    arrived = {entry["event.id"]: entry for entry in connector.arrived()}
    assert set(arrived) == set(ages)
    assert {id for id, entry in arrived.items() if entry.get("scm.backfill") == "true"} == {"old", "a day", "nearly"}
    for id, entry in arrived.items():
        assert datetime.fromisoformat(entry["scm.event.timestamp"]) == connector.now - ages[id]
    assert datetime.fromisoformat(arrived["old"]["timestamp"][:26] + "Z") == connector.now
    assert ran.result["clamped"] == 3
    assert "3 records were older than 24 h" in ran.log


def test_18_a_record_that_is_too_old_by_the_clock_of_log_ingest_is_sent_with_the_present_time(
    connector: Connector,
) -> None:
    connector.issue(record("young by the host's clock", connector.now - HOUR))
    connector.fault(api="logs", status=400, body={"error": {"code": 400, "message": "timestamps_out_of_range"}})

    ran = connector.run()

    assert [entry["scm.backfill"] for entry in connector.arrived()] == ["true"]
    assert (ran.result["setAside"], ran.result["clamped"]) == (0, 1)


def test_18_a_host_that_is_behind_sends_no_time_that_log_ingest_takes_for_too_old(connector: Connector) -> None:
    connector.options(script_skew_s=-1800, old_records="silent")
    connector.write("config", '{"initHistoryDuration": "2d"}')
    connector.issue(record("old", connector.now - timedelta(hours=24, minutes=5)))

    connector.run()

    assert [entry["scm.backfill"] for entry in connector.arrived()] == ["true"]


def test_39_what_scm_says_of_a_window_that_is_too_old_for_it_comes_with_what_to_do(connector: Connector) -> None:
    connector.write("checkpoint", f"{moment(connector.now - timedelta(days=40))}|x")
    connector.page_fault(status=400, body={"description": "from is too old"}, times=None)

    ran = connector.run()

    assert "from is too old (asked from 2025-12-20T" in ran.info
    assert "set initialCheckpoint to a later time" in ran.info


def test_a_first_run_that_fails_for_hours_keeps_the_beginning_of_its_history(connector: Connector) -> None:
    connector.issue(record("old", connector.now - timedelta(minutes=119)))
    connector.fault(api="scm-sso", status=401, times=None)
    for _ in range(3):
        assert connector.run().state == "ERROR"
        connector.pass_time(60)
    connector.clear_faults()

    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["old"]
    assert connector.ledger()[-1]["connector.coveredFrom"] == "2026-01-29T07:59:00Z"


def test_all_times_of_the_run_log_are_utc(connector: Connector) -> None:
    assert connector.now == datetime(2026, 1, 29, 10, tzinfo=UTC)
    assert "from 2026-01-29T07:59:00Z to 2026-01-29T09:59:00Z (2 hours)" in connector.run().log
