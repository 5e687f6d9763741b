"""Crash, lock and deadline: cases 19 to 26 of the torture list (facts: sectigo 4)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from local_dynatrace.testing.callers import DEPLOY
from local_dynatrace.testing.flows import settle

from .connector import INGEST, RECORDS, Connector, Ran, moment

EXECUTIONS = "/platform/automation/v1/executions*"


def puts(connector: Connector, which: str) -> dict[str, str]:
    """What a fault rule needs to match the writes of one vault entry."""
    return {"api": "vault", "method": "PUT", "path": f"*/{connector.ids[which]}", "caller": "script"}


def without_executions(connector: Connector) -> None:
    """The actor has no automation:workflows:read: only the lock's lease decides."""
    connector.fault(api="automation", path=EXECUTIONS, caller="script", status=403, times=None)


def start_two(connector: Connector) -> list[str]:
    """Start two runs in the same moment, and let go of them when both are reading the lock."""
    connector.local.sim("POST", "clock", {"mode": "frozen"})
    connector.fault(api="vault", path="*/details", caller="script", delay_s=1, times=None)
    executions = [connector.start(), connector.start()]
    connector.local.sim("POST", "clock", {"mode": "auto"})
    settle(connector.local)
    return executions


def skipped(ran: Ran) -> bool:
    return (ran.state, ran.outcome) == ("SUCCESS", "skipped")


def test_19_a_kill_between_ingest_and_checkpoint_repeats_the_same_ids_and_nothing_else(connector: Connector) -> None:
    connector.issue(*connector.records_before(30))
    connector.fault(**puts(connector, "checkpoint"), nth=2, script="kill", when="before")  # the first: where it begins
    assert connector.run().state == "ERROR"
    assert len(connector.arrived()) == 30

    ran = connector.run()

    assert ran.result["sent"] == 30
    assert set(connector.ids_arrived()) == {f"r{i}" for i in range(30)}
    assert len(connector.arrived()) == 60


def test_20_after_a_kill_the_next_run_takes_over_at_once_where_the_platform_tells_that_the_owner_is_over(
    connector: Connector,
) -> None:
    connector.issue(*connector.records_before(3))
    connector.fault(**puts(connector, "lock"), nth=2, script="kill", when="before")
    assert connector.run().state == "ERROR"
    assert connector.read("lock").startswith("RUNNING|")

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert any("ended without releasing it" in line for line in ran.warnings)
    assert connector.ids_arrived() == ["r0", "r1", "r2"]
    assert connector.read("lock") == "IDLE"


def test_20_where_executions_cannot_be_read_the_lease_of_three_minutes_decides(connector: Connector) -> None:
    without_executions(connector)
    connector.fault(**puts(connector, "lock"), nth=2, script="kill", when="before")
    connector.run()

    connector.pass_time(2)
    assert skipped(connector.run())
    connector.pass_time(1.1)
    assert connector.run().outcome == "caught up"


@pytest.mark.parametrize("form", ["RUNNING|{started}", "RUNNING||{started}", "running|unknown|{started}"])
def test_21_a_lock_without_an_owner_holds_for_120_minutes(connector: Connector, form: str) -> None:
    connector.write("lock", form.format(started=moment(connector.now - timedelta(minutes=119))))
    assert skipped(connector.run())

    connector.pass_time(2)

    assert connector.run().outcome == "caught up"


@pytest.mark.parametrize(
    "lock", ["RUNNING", "running", "RUNNING|2026-02-20T10:00:00Z"], ids=["bare", "lower", "future"]
)
def test_21_a_lock_that_tells_no_age_is_stamped_and_ends_120_minutes_later(connector: Connector, lock: str) -> None:
    connector.write("lock", lock)
    assert skipped(connector.run())

    connector.pass_time(119)
    assert skipped(connector.run())
    connector.pass_time(1)
    assert connector.run().outcome == "caught up"


@pytest.mark.parametrize(
    ("lock", "warned"), [("|", 0), ("idle", 0), (" IDLE\n", 0), ("garbage", 1), ('{"status":"RUNNING"}', 1)]
)
def test_21_an_empty_or_unreadable_lock_is_free(connector: Connector, lock: str, warned: int) -> None:
    connector.write("lock", lock)

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert len(ran.warnings) == warned


def test_21_a_lock_whose_owner_is_unknown_to_the_platform_is_free(connector: Connector) -> None:
    now = connector.now
    lease = moment(now + timedelta(minutes=3))
    connector.write("lock", f"RUNNING|00000000-0000-4000-8000-000000000000|{moment(now)}|{lease}")

    assert connector.run().outcome == "caught up"


def test_22_of_two_runs_that_start_in_the_same_moment_one_goes_on(connector: Connector) -> None:
    connector.issue(*connector.records_before(50))
    executions = start_two(connector)

    runs = [connector.ran(execution) for execution in executions]

    assert sorted(ran.outcome for ran in runs) == ["caught up", "skipped"]
    assert len(connector.arrived()) == 50
    assert connector.read("lock") == "IDLE"


def test_22_a_run_that_starts_while_another_one_works_steps_back(connector: Connector) -> None:
    connector.issue(*connector.records_before(50))
    first = connector.freeze_at(RECORDS)

    second = connector.run_beside()
    connector.thaw(first)

    assert skipped(second) and f"execution {first} holds the lock" in second.log
    assert connector.ran(first).outcome == "caught up"
    assert len(connector.arrived()) == 50


def test_22_a_run_that_finds_the_lock_free_but_an_older_run_at_work_hands_the_lock_to_that_one(
    connector: Connector,
) -> None:
    connector.issue(*connector.records_before(50))
    first = connector.freeze_at(RECORDS)
    connector.write("lock", "IDLE")
    connector.pass_time(0.5)

    second = connector.run_beside()
    connector.thaw(first)

    assert skipped(second) and f"execution {first} started before this one" in second.log
    assert connector.ran(first).outcome == "caught up"
    assert connector.read("lock") == "IDLE"


def test_22_two_runs_that_cannot_read_executions_lose_nothing(connector: Connector) -> None:
    without_executions(connector)
    begin = connector.now
    connector.issue(*connector.records_before(50))
    executions = start_two(connector)

    outcomes = [connector.ran(execution).outcome for execution in executions]

    assert "caught up" in outcomes and set(outcomes) <= {"caught up", "skipped"}
    assert len(set(connector.ids_arrived())) == 50
    assert connector.reached is not None and connector.reached >= begin - timedelta(minutes=1)


@pytest.mark.parametrize(
    "failure",
    [{"status": 500, "times": None}, {"status": 403, "times": None}, {"cut": "after"}],
    ids=["500", "403", "lost answer"],
)
def test_23_nothing_is_fetched_any_more_once_the_checkpoint_cannot_be_saved(
    connector: Connector, failure: dict[str, object]
) -> None:
    connector.options(scm_page_size=1000)
    connector.issue(*connector.records_before(14_000, apart_s=0.4))
    # SCM is slower than log ingest, so pages are still to come when the first save is due, after 5,000 records.
    connector.page_fault(times=None, delay_s=1)
    connector.fault(**puts(connector, "checkpoint"), **failure)

    ran = connector.run()

    if "cut" in failure:
        assert ran.outcome == "caught up"
        assert connector.count() == (14_000, 14_000)
        return
    assert ran.state == "ERROR" and "the checkpoint could not be saved" in ran.info
    # Those that were accepted before the save, and one that was under way; retries take up to seven seconds more.
    assert len(connector.queries) < 15
    assert connector.read("checkpoint") == "NONE"
    connector.clear_faults()
    connector.run()
    arrived, different = connector.count()
    assert different == 14_000
    assert arrived < 14_000 + 2 * 5_000 + 1_000


def test_24_a_leg_stops_between_pages_before_its_end_and_the_next_one_goes_on_from_there(connector: Connector) -> None:
    connector.issue(*connector.records_before(2_500, apart_s=2))
    connector.page_fault(times=None, delay_s=10)

    first = connector.run()

    assert (first.state, first.outcome) == ("SUCCESS", "more waiting")
    assert 100 <= first.result["durationSeconds"] < 112
    legs = connector.executions()
    assert [leg["input"].get("leg", 1) for leg in legs] == [1, 2, 3], first.log
    assert connector.ran(legs[-1]["id"]).outcome == "caught up"
    assert len(connector.arrived()) == len(set(connector.ids_arrived())) == 2_500
    # No leg asks for a page that an earlier one has had.
    tokens = [query.get("token", query["to"]) for query in connector.queries]
    assert len(tokens) == len(set(tokens)) + 1  # the last window's end is asked for by two legs: the overlap


def test_24_where_legs_cannot_be_started_the_next_schedule_goes_on(connector: Connector) -> None:
    connector.fault(api="automation", method="POST", path="*/run", caller="script", status=403, times=None)
    connector.issue(*connector.records_before(1_500, apart_s=2))
    connector.page_fault(times=None, delay_s=10)

    first = connector.run()
    assert len(connector.executions()) == 1
    assert any("no further leg" in line for line in first.warnings), first.log
    connector.run()

    assert len(connector.arrived()) == len(set(connector.ids_arrived())) == 1_500


def test_24_legs_end_with_the_maximal_execution_time(connector: Connector) -> None:
    slow = Connector(connector.local, max_minutes=3)
    slow.issue(*slow.records_before(9_000, apart_s=0.5))
    slow.page_fault(times=None, delay_s=10)

    slow.run()

    runs = [slow.ran(leg["id"]) for leg in slow.executions()]
    assert [ran.outcome for ran in runs] == ["more waiting", "more waiting"]
    assert "Max execution time is used up" in runs[-1].log, runs[-1].log
    assert sum(ran.result["durationSeconds"] for ran in runs) < 3 * 60 + 12


def test_24_a_page_that_is_asked_for_late_leaves_time_to_save_and_to_release(connector: Connector) -> None:
    connector.options(scm_page_size=10)
    connector.issue(*connector.records_before(100))
    connector.page_fault(times=None, delay_s=19)  # the sixth is asked for at 95 s

    ran = connector.run()

    assert (ran.state, ran.outcome) == ("SUCCESS", "more waiting")
    assert ran.result["durationSeconds"] < 112
    assert len(connector.arrived()) == 50 and connector.read("lock") == "IDLE"


def test_a_save_whose_answer_is_lost_leaves_no_hole_in_the_ledger(connector: Connector) -> None:
    connector.run()
    connector.pass_time(10)
    connector.issue(*connector.records_before(5))
    connector.fault(**puts(connector, "checkpoint"), times=4, cut="after")
    assert connector.run().state == "ERROR"
    connector.clear_faults()
    connector.pass_time(10)

    assert connector.run().outcome == "caught up"

    told = connector.ledger()
    assert [run["connector.outcome"] for run in told] == ["caught up", "failed", "caught up"]
    assert told[2]["connector.coveredFrom"] <= told[0]["connector.coveredTo"]


def test_25_a_lock_that_cannot_be_released_is_a_warning_and_the_next_run_takes_over(connector: Connector) -> None:
    connector.fault(**puts(connector, "lock"), nth=2, times=None, status=403)

    ran = connector.run()

    assert (ran.state, ran.outcome) == ("SUCCESS", "caught up")
    assert any("the execution lock could not be released" in line for line in ran.warnings)
    connector.clear_faults()
    assert connector.run().outcome == "caught up"
    assert connector.read("lock") == "IDLE"


def test_26_a_wait_that_is_longer_than_the_leg_ends_it_at_once(connector: Connector) -> None:
    connector.options(scm_page_size=10)
    connector.issue(*connector.records_before(30))
    connector.page_fault(nth=2, times=None, status=429, headers={"Retry-After": "3600"})

    ran = connector.run()

    assert (ran.state, ran.outcome) == ("SUCCESS", "more waiting")
    assert ran.result["durationSeconds"] < 1
    assert len(connector.arrived()) == 10
    # SCM has asked for an hour: no further leg before the next schedule.
    assert len(connector.executions()) == 1
    connector.clear_faults()
    connector.run()
    assert len(connector.arrived()) == 30


def test_a_run_that_was_paused_past_its_end_writes_nothing_when_it_wakes_up(connector: Connector) -> None:
    connector.options(script_limit_s=600.0)  # the platform's kill comes too late, for once
    connector.issue(*connector.records_before(20))
    paused = connector.freeze_at(INGEST, when="after")
    connector.pass_time(3)
    assert connector.run_beside().outcome == "caught up"
    saved = connector.read("checkpoint")

    connector.thaw(paused)

    ran = connector.ran(paused)
    # Whether the answer or its time limit is noticed first is chance; the reason is the same.
    assert ran.state == "ERROR" and "this run is 180 s old and another may have taken over" in ran.info
    assert connector.read("checkpoint") == saved
    assert connector.read("lock") == "IDLE"


def test_a_checkpoint_that_is_deleted_under_a_run_is_not_brought_back(connector: Connector) -> None:
    connector.issue(*connector.records_before(20))
    execution = connector.freeze_at(RECORDS)
    path = f"/api/v2/credentials/{connector.ids['checkpoint']}"
    assert connector.local.call("DELETE", path, headers=DEPLOY).status_code == 204

    connector.thaw(execution)

    assert connector.local.call("GET", path, headers=DEPLOY).status_code == 404
    assert "was deleted during this run" in connector.ran(execution).info


def test_a_vault_that_answers_an_old_checkpoint_makes_a_run_repeat_and_lose_nothing(connector: Connector) -> None:
    connector.issue(*connector.records_before(20))
    connector.run()
    connector.pass_time(10)
    connector.issue(*({**record, "id": f"later {record['id']}"} for record in connector.records_before(20)))
    connector.fault(api="vault", path=f"*/{connector.ids['checkpoint']}/details", caller="script", stale=True)

    ran = connector.run()

    assert (ran.outcome, ran.result["checkpointBefore"]) == ("caught up", "none")
    assert len(set(connector.ids_arrived())) == 40
    assert len(connector.arrived()) == 60
    connector.clear_faults()
    assert connector.run().result["sent"] == 0


def test_L12_a_run_that_dies_at_the_same_place_is_followed_by_runs_that_ask_for_less(connector: Connector) -> None:
    connector.run()
    connector.pass_time(8 * 60)
    issued = connector.records_before(400, apart_s=60)
    connector.issue(*issued)
    asked = []
    for _ in range(4):
        connector.local.sim("DELETE", "requests")
        connector.fault(path=RECORDS, caller="script", script="kill", when="after")
        assert connector.run().state == "ERROR"
        connector.clear_faults()
        query = connector.queries[0]
        asked.append(datetime.fromisoformat(query["to"]) - datetime.fromisoformat(query["from"]))
        connector.pass_time(10)
    spans = [connector.checkpoint[1].get("span")]

    ran = connector.run()

    minutes = [round(span.total_seconds() / 60) for span in asked]
    # The second run that dies there shows that the first had moved nothing.
    assert minutes[2] <= 181 and minutes[3] <= minutes[2] / 2 + 1, minutes
    assert spans[0] and "The runs before died: asking for" in ran.log
    assert ran.outcome == "caught up" and connector.checkpoint[1].get("span") is None
    assert set(connector.ids_arrived()) == {record["id"] for record in issued}


def test_L3_the_third_run_in_a_row_that_moves_nothing_fails_with_the_reason(connector: Connector) -> None:
    connector.run()
    connector.pass_time(10)
    connector.issue(*connector.records_before(30))
    connector.page_fault(times=None, status=429, headers={"Retry-After": "3600"})

    runs = []
    for _ in range(4):
        runs.append(connector.run())
        connector.pass_time(10)

    assert [ran.state for ran in runs] == ["SUCCESS", "SUCCESS", "ERROR", "ERROR"]
    assert [ran.outcome for ran in runs[:2]] == ["more waiting"] * 2
    assert "three times in a row, but nothing moves" in runs[2].info and "429" in runs[2].info
    connector.clear_faults()
    assert connector.run().outcome == "caught up"
    assert connector.checkpoint[1].get("stalled") is None
    assert len(connector.arrived()) == 30


def test_L28_a_lock_that_another_run_holds_by_now_is_not_released(connector: Connector) -> None:
    execution = connector.freeze_at(RECORDS)
    foreign = f"RUNNING|00000000-0000-4000-8000-000000000001|{moment(connector.now)}|{moment(connector.now)}"
    connector.write("lock", foreign)

    connector.thaw(execution)

    assert connector.read("lock") == foreign


def test_L28_a_next_leg_is_started_under_a_qualifier_that_names_the_leg_before(connector: Connector) -> None:
    connector.issue(*connector.records_before(2_500, apart_s=2))
    connector.page_fault(times=None, delay_s=10)
    connector.fault(api="automation", method="POST", path="*/run", caller="script", status=500, when="after")

    connector.run()

    legs = connector.executions()
    assert [leg["input"].get("leg", 1) for leg in legs] == [1, 2, 3], "the answer was lost, the call repeated"
    assert [leg["input"].get("previous") for leg in legs[1:]] == [leg["id"] for leg in legs[:-1]]


def test_L28_a_leg_goes_on_while_the_leg_before_holds_the_lock(connector: Connector) -> None:
    connector.issue(*connector.records_before(1_500, apart_s=2))
    connector.page_fault(times=None, delay_s=10)
    # The first leg cannot release its lock, and still runs when the next one begins.
    connector.fault(**puts(connector, "lock"), nth=2, status=403)

    connector.run()

    ran = [connector.ran(leg["id"]) for leg in connector.executions()]
    assert [each.outcome for each in ran] == ["more waiting", "caught up"]
