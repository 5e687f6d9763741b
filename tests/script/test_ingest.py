"""Log ingest: cases 32 to 35 of the torture list (facts: sectigo 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .connector import INGEST, RECORDS, Connector, record


def ingest_faults(connector: Connector, *numbers: int, **rule: Any) -> None:
    """What goes wrong with which requests to log ingest, counted from 1."""
    for nth in numbers:
        connector.fault(**{"api": "logs", "caller": "script", "nth": nth, **rule})


def test_32_a_refused_batch_is_halved_down_to_the_record_at_fault(connector: Connector) -> None:
    connector.issue(*connector.records_before(4))
    # All four; then r0 and r1 pass; r2 and r3; r2, with its own and with the present time.
    ingest_faults(connector, 1, 3, 4, 5, status=400, body={"error": {"code": 400, "message": "No such thing"}})

    ran = connector.run()

    assert connector.ids_arrived() == ["r0", "r1", "r3"]
    assert (ran.result["sent"], ran.result["setAside"], ran.result["setAsideIds"]) == (3, 1, "r2")
    assert ran.warnings == ["WARN record r2 was rejected by log ingest and skipped: 400 No such thing"]
    assert connector.ledger()[-1]["connector.setAsideIds"] == "r2"
    assert connector.ledger()[-1]["loglevel"] == "WARN"


@pytest.mark.parametrize("status", [200, 400, 413])
def test_32_where_log_ingest_takes_none_of_the_records_none_is_set_aside(connector: Connector, status: int) -> None:
    connector.issue(*connector.records_before(20))
    connector.run()
    reached = connector.reached
    connector.pass_time(10)
    connector.issue(*({**record, "id": f"later {record['id']}"} for record in connector.records_before(20)))
    refusal = {"error": {"code": status, "message": "Not now"}}
    ingest_faults(connector, 1, status=status, body=refusal, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "Not now; none is skipped" in ran.info
    assert connector.reached == reached
    connector.clear_faults()
    assert connector.run().result["setAside"] == 0
    assert len(set(connector.ids_arrived())) == 40


def test_32_a_record_that_is_refused_alone_waits_for_one_that_is_taken(connector: Connector) -> None:
    connector.issue(record("bad", connector.now - timedelta(minutes=2)))
    ingest_faults(connector, 1, status=400, times=3)  # with its time, without, and the ledger
    assert connector.run().state == "ERROR"
    connector.pass_time(3)
    connector.issue(record("good", connector.now - timedelta(minutes=2)))
    connector.clear_faults()
    ingest_faults(connector, 1, 2, 3, status=400)  # both, the bad one, the bad one without its time

    ran = connector.run()

    assert (ran.outcome, ran.result["setAsideIds"], connector.ids_arrived()) == ("caught up", "bad", ["good"])


def test_32_a_batch_that_was_stored_in_part_repeats_each_record_a_bounded_number_of_times(
    connector: Connector,
) -> None:
    connector.options(scm_page_size=64)
    connector.issue(*connector.records_before(64))
    # Dynatrace stores all and says that it stored a part, as long as the batch has more than one record.
    ingest_faults(connector, 1, 2, 3, status=200, when="after", body={"details": {"code": 200, "message": "A part"}})

    ran = connector.run()

    ids = connector.ids_arrived()
    assert len(set(ids)) == 64 and ran.result["sent"] == 64
    assert max(ids.count(id) for id in ids) <= 1 + 6  # once for each halving: log2 of the batch


def test_33_a_batch_that_is_too_large_is_split(connector: Connector) -> None:
    connector.options(scm_page_size=5000)
    connector.issue(*connector.records_before(5000, apart_s=0.1))
    ingest_faults(connector, 1, status=413)

    ran = connector.run()

    assert (ran.result["sent"], connector.count()) == (5000, (5000, 5000))
    assert len(connector.requests(INGEST)) == 4  # whole, two halves, the ledger


def test_33_a_record_of_12_mb_is_cut_and_marked(connector: Connector) -> None:
    connector.issue(record("huge", connector.now - timedelta(minutes=2), details="x" * 12_000_000))

    ran = connector.run()

    (entry,) = connector.arrived()
    assert entry["content.truncated"] == "true" and len(entry["content"].encode()) <= 500_000
    assert entry["content"].startswith("[scm] issue: xx")
    assert ran.result["truncated"] == 1


@pytest.mark.parametrize("character", ["\U0001f511", "e\u0301\u0302", "\U0001f469\u200d\U0001f469\u200d\U0001f467"])
def test_33_a_long_attribute_is_cut_between_characters(connector: Connector, character: str) -> None:
    connector.issue(record("long", connector.now - timedelta(minutes=2), actor=character * 20_000))

    connector.run()

    (entry,) = connector.arrived()
    kept = entry["scm.actor"]
    assert len(kept.encode()) <= 32_000
    assert character * (len(kept) // len(character)) == kept
    assert entry["content.truncated"] == "true"


def test_33_a_key_of_more_than_100_bytes_is_cut(connector: Connector) -> None:
    connector.issue(record("keyed", connector.now - timedelta(minutes=2), **{"ключ" * 40: "value"}))

    connector.run()

    (entry,) = connector.arrived()
    (key,) = [name for name, value in entry.items() if value == "value"]
    assert len(key.encode()) <= 100 and key.startswith("scm.ключ")
    assert "dt.ingest.warnings" not in entry


def test_34_an_answer_that_is_lost_after_ingest_repeats_the_same_ids_only(connector: Connector) -> None:
    connector.issue(*connector.records_before(10))
    ingest_faults(connector, 1, cut="after")

    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == sorted([f"r{i}" for i in range(10)] * 2)


def test_34_an_answer_that_does_not_come_is_given_up_after_20_seconds_and_sent_again(connector: Connector) -> None:
    connector.issue(*connector.records_before(10))
    ingest_faults(connector, 1, delay_s=60)

    ran = connector.run()

    assert ran.outcome == "caught up" and "no answer within 20 s" in ran.log
    assert set(connector.ids_arrived()) == {f"r{i}" for i in range(10)}


@pytest.mark.parametrize("status", [429, 503])
def test_34_while_log_ingest_is_down_scm_is_not_read_further_than_memory_allows(
    connector: Connector, status: int
) -> None:
    connector.options(scm_page_size=1000)
    connector.issue(*connector.records_before(20_000, apart_s=0.1))
    ingest_faults(connector, 1, status=status, times=None, headers={"Retry-After": "10"})

    ran = connector.run()

    # A rate limit ends the leg in good order.
    assert (ran.state, ran.outcome) == (("SUCCESS", "more waiting") if status == 429 else ("ERROR", ""))
    # Ten thousand records may wait, one page is being sent, one fetched.
    assert len(connector.requests(RECORDS)) <= 13
    assert connector.count() == (0, 0)
    connector.clear_faults()
    connector.run()
    assert connector.count() == (20_000, 20_000)


def test_34_pages_behind_a_batch_that_failed_for_good_are_not_passed_over(connector: Connector) -> None:
    connector.options(scm_page_size=10)
    connector.issue(*connector.records_before(60))
    connector.page_fault(times=None, delay_s=2)
    ingest_faults(connector, 1, status=403, body={"error": {"code": 403, "message": "Token is missing required scope"}})

    ran = connector.run()

    assert ran.state == "ERROR" and "check logIngestToken and its scope logs.ingest" in ran.info
    connector.run()
    assert connector.ids_arrived() == sorted(f"r{i}" for i in range(60))


def test_35_nothing_new_sends_nothing_but_the_run_s_own_record(connector: Connector) -> None:
    connector.issue(*connector.records_before(2))
    connector.run()
    before = connector.checkpoint[0]
    connector.pass_time(10)

    ran = connector.run()

    assert (ran.outcome, ran.result["sent"]) == ("caught up", 0)
    assert [line["status"] for line in connector.requests(INGEST)] == [204, 204, 204]
    assert connector.checkpoint[0] == before
    assert connector.reached == connector.now - timedelta(minutes=1)


def test_35_forty_idle_days_do_not_widen_the_window(connector: Connector) -> None:
    connector.run()
    for _ in range(8):
        connector.pass_time(5 * 24 * 60)
        connector.run()
    connector.pass_time(10)

    ran = connector.run()

    assert ran.result["windowFrom"] == (connector.now - timedelta(minutes=16)).isoformat().replace("+00:00", "Z")


REJECTED = {"error": {"code": 400, "message": "Constraints violated"}}


def test_L4_attributes_that_are_too_large_together_are_cut_until_the_record_fits(connector: Connector) -> None:
    many = {f"field{number}": "x" * 32_000 for number in range(350)}
    connector.issue(record("many", connector.now - timedelta(minutes=2), short="kept whole", **many))

    ran = connector.run()

    (entry,) = connector.arrived()
    assert (ran.outcome, entry["content.truncated"], entry["scm.short"]) == ("caught up", "true", "kept whole")
    assert all(entry[f"scm.field{number}"].startswith("xxx") for number in range(350))
    assert sum(len(str(value)) for value in entry.values()) < 2_000_000


def test_L4_a_record_that_is_too_large_alone_is_sent_with_its_id_and_time_only(connector: Connector) -> None:
    connector.issue(*connector.records_before(2))
    ingest_faults(connector, 1, 2, 3, status=413)  # both, the first, the first without its time

    ran = connector.run()

    assert connector.ids_arrived() == ["r0", "r1"]
    (small,) = [entry for entry in connector.arrived() if "content.truncated" in entry]
    assert small["event.id"] == "r0" and "issue" not in str(small)
    assert (ran.outcome, ran.result["sent"], ran.result["setAsideIds"]) == ("caught up", 2, "r0")


def test_L4_what_was_accepted_before_a_failure_is_not_sent_again(connector: Connector) -> None:
    connector.issue(*connector.records_before(1000, apart_s=1.5))
    ingest_faults(connector, 1, status=413)  # halved: the first half is accepted
    ingest_faults(connector, 3, status=403)

    assert connector.run().state == "ERROR"
    connector.run()

    all_records, different = connector.count()
    assert different == 1000 and all_records <= 1000 + 250  # the overlap, not the whole half


def test_L10_an_ingest_that_rejects_everything_is_asked_a_bounded_number_of_times(connector: Connector) -> None:
    connector.issue(*connector.records_before(4000, apart_s=0.1))
    ingest_faults(connector, 1, status=400, body=REJECTED, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "400 Constraints violated; none is skipped" in ran.info
    assert len(connector.requests(INGEST)) <= 40
    assert connector.read("lock") == "IDLE" or "left for the next run" in ran.log


def test_L10_a_200_that_is_no_json_is_tried_again_and_is_no_partial_answer(connector: Connector) -> None:
    connector.issue(*connector.records_before(10))
    ingest_faults(connector, 1, 2, status=200, body="<html>Welcome</html>")

    ran = connector.run()

    assert (ran.outcome, ran.result["retries"], connector.count()) == ("caught up", 2, (10, 10))


def test_L13_an_ingest_that_answers_after_25_s_and_stores_is_not_sent_the_same_again_and_again(
    connector: Connector,
) -> None:
    connector.issue(*connector.records_before(60))
    connector.fault(api="logs", caller="script", delay_s=25, when="after", times=None)

    for _ in range(3):
        connector.run()

    ids = connector.ids_arrived()
    assert len(set(ids)) == 60 and max(ids.count(id) for id in ids) <= 3


def test_L23_records_rejected_alone_wait_for_one_of_a_later_page(connector: Connector) -> None:
    connector.options(scm_page_size=1)
    connector.page_fault(times=None, delay_s=1)  # two pages are sent together, then the third
    connector.issue(*connector.records_before(3))
    # r0 and r1; r0, and without its time; r1; then r2 passes, and r1 without its time does not.
    ingest_faults(connector, 1, 2, 3, 4, 6, status=400, body=REJECTED)

    ran = connector.run()

    assert (ran.outcome, ran.result["setAsideIds"]) == ("caught up", "r0 r1")
    assert connector.ids_arrived() == ["r2"]


def test_L25_no_batch_is_sent_that_the_leg_cannot_finish(connector: Connector) -> None:
    connector.options(scm_page_size=9)  # too small to be read ahead
    connector.page_fault(times=None, delay_s=3)
    connector.issue(*connector.records_before(400, apart_s=15))
    connector.fault(api="logs", caller="script", delay_s=11, when="after", times=None)

    ran = connector.run()

    assert ran.outcome == "more waiting" and "no answer" not in ran.log
    connector.clear_faults()
    connector.run()
    assert connector.count() == (400, 400)


def test_L17_the_first_three_of_many_equal_warnings_are_logged_then_their_number(connector: Connector) -> None:
    at = connector.now - timedelta(minutes=2)
    connector.issue(*(record("same", at, details=f"content {number}") for number in range(10)))

    ran = connector.run()

    assert len([line for line in ran.warnings if "came twice" in line]) == 3
    assert "6 more warnings of this kind, the last one: record same came twice" in ran.log
    assert ran.result["warnings"] == 9
