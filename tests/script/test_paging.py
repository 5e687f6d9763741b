"""Paging and order: cases 1 to 10 of the torture list (facts: sectigo 4)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from .connector import RECORDS, Connector, moment, record

TIE = "2026-01-29T09:44:11.611092Z"


def test_01_three_records_of_the_same_microsecond_all_arrive_even_if_the_run_is_killed_between_their_pages(
    connector: Connector,
) -> None:
    connector.options(scm_page_size=1)
    connector.issue(*(record(id, TIE) for id in ("a", "b", "c")))
    connector.page_fault(nth=2, script="kill")

    assert connector.run().state == "ERROR"
    assert connector.run().outcome == "caught up"
    assert set(connector.ids_arrived()) == {"a", "b", "c"}


def test_01_three_records_of_the_same_microsecond_arrive_once_without_a_kill(connector: Connector) -> None:
    connector.options(scm_page_size=1)
    connector.issue(*(record(id, TIE) for id in ("a", "b", "c")))

    connector.run()

    assert connector.ids_arrived() == ["a", "b", "c"]
    assert connector.checkpoint[0].startswith(f"{TIE}|")


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [2, 0, 3, 1]], ids=["descending", "shuffled"])
def test_02_pages_in_any_order_move_the_checkpoint_to_the_newest_accepted_record(
    connector: Connector, order: list[int]
) -> None:
    records = connector.records_before(4)
    first, second = [records[i] for i in order[:2]], [records[i] for i in order[2:]]
    connector.pages((first, "t1"), (second, "t2"), ([], None))

    connector.run()

    assert connector.ids_arrived() == ["r0", "r1", "r2", "r3"]
    assert connector.checkpoint[0] == f"{records[3]['timestamp'].replace('.000000', '')}|r3"


def test_02_a_kill_in_the_middle_of_descending_pages_skips_none(connector: Connector) -> None:
    records = connector.records_before(6, apart_s=60)
    connector.issue(*records)
    newest_first = records[::-1]
    connector.pages((newest_first[:2], "t1"), (newest_first[2:4], "t2"))
    connector.page_fault(nth=3, script="kill")
    connector.run()
    connector.clear_faults()

    connector.run()

    assert set(connector.ids_arrived()) == {f"r{i}" for i in range(6)}


@pytest.mark.parametrize("token", ["t2", "t1"], ids=["new", "the same again"])
def test_03_an_empty_page_is_the_end_whatever_token_it_brings(connector: Connector, token: str) -> None:
    connector.pages((connector.records_before(2), "t1"), ([], token))

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert len(connector.queries) == 2
    assert connector.reached == connector.now - timedelta(minutes=1)
    assert "from" not in connector.checkpoint[1]


@pytest.mark.parametrize("header", [None, ""], ids=["missing", "empty"])
def test_04_a_page_without_a_token_is_checked_once_by_time(connector: Connector, header: str | None) -> None:
    records = connector.records_before(100)
    connector.pages((records, header), (records[-2:], None))

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert [set(query) for query in connector.queries] == [{"from", "to"}, {"from", "to"}]
    assert connector.queries[1]["from"] == connector.records_before(100)[-2]["timestamp"].replace(".000000", "")
    assert len(connector.arrived()) == 100


@pytest.mark.parametrize("apart_s", [1.0, 0.001, 0.00001], ids=["1 s", "1 ms", "10 µs"])
def test_04_a_proxy_that_strips_the_token_from_every_page_loses_nothing(connector: Connector, apart_s: float) -> None:
    connector.options(scm_page_size=20)
    connector.issue(*connector.records_before(95, apart_s=apart_s))
    connector.page_fault(times=None, strip_headers=["token"])

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert connector.ids_arrived() == sorted(f"r{i}" for i in range(95))


def test_04_more_records_of_one_moment_than_a_page_holds_fail_loudly_where_the_token_is_stripped(
    connector: Connector,
) -> None:
    connector.options(scm_page_size=20)
    connector.issue(*(record(f"r{i:02}", TIE) for i in range(45)))
    connector.page_fault(times=None, strip_headers=["token"])

    ran = connector.run()

    assert ran.state == "ERROR"
    assert "does a proxy remove the header?" in ran.log
    connector.clear_faults()
    connector.run()
    assert len(set(connector.ids_arrived())) == 45


@pytest.mark.parametrize("last_page_token", [True, False])
def test_04_a_last_page_of_many_records_in_one_second_is_no_circle(connector: Connector, last_page_token: bool) -> None:
    connector.options(scm_page_size=1, scm_last_page_token=last_page_token)
    connector.issue(*connector.records_before(5, apart_s=0.1))

    assert connector.run().outcome == "caught up"
    connector.pass_time(10)
    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == [f"r{i}" for i in range(5)]


@pytest.mark.parametrize("stripped", [False, True], ids=["of the last page", "of every page"])
def test_04_without_a_token_and_a_time_that_can_be_read_a_window_is_still_read_to_its_end(
    connector: Connector, stripped: bool
) -> None:
    connector.options(scm_page_size=12, scm_last_page_token=False)
    if stripped:
        connector.page_fault(strip_headers=["token"], times=None)
    for n in range(30):
        connector.issue(record(f"r{n}", "half past ten"))  # SCM itself knows when it was
        connector.pass_time(0.5)
    connector.pass_time(2)

    assert connector.run().outcome == "caught up"
    assert {f"r{n}" for n in range(30)} == set(connector.ids_arrived())


def test_05_a_token_that_repeats_without_news_is_given_up_and_the_window_is_read_by_time(connector: Connector) -> None:
    records = connector.records_before(8)
    connector.issue(*records)
    connector.pages(*((records[:2], token) for token in ["A", "B", "A", "B"]))

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert ran.warnings == ["WARN SCM repeats its pages under new tokens; continuing by time"]
    assert connector.ids_arrived() == sorted(f"r{i}" for i in range(8))
    assert connector.read("lock") == "IDLE"


def test_06_every_call_carries_the_to_of_its_window(connector: Connector) -> None:
    connector.options(scm_page_size=10)
    connector.issue(*connector.records_before(35))

    connector.run()

    assert len(connector.queries) == 5
    assert {query["to"] for query in connector.queries} == {"2026-01-29T09:59:00Z"}
    assert [("token" in query, "from" in query) for query in connector.queries] == [(False, True)] + 4 * [(True, False)]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_07_a_saved_token_that_scm_refuses_falls_back_to_time(connector: Connector, status: int) -> None:
    connector.options(scm_page_size=50)
    connector.issue(*connector.records_before(300, end_minutes_ago=30))
    stop = connector.page_fault(nth=4, times=None, status=429, headers={"Retry-After": "600"})
    assert connector.run().outcome == "more waiting"
    assert "token" in connector.checkpoint[1]
    connector.local.sim("DELETE", f"faults/{stop}")
    connector.page_fault(status=status, body={"code": -1, "description": "Token has expired"})

    ran = connector.run()

    assert ran.warnings == ["WARN SCM rejected a page token; continuing by time"]
    assert set(connector.ids_arrived()) == {f"r{i}" for i in range(300)}
    # Oldest first so far: reading goes on a second before the newest record, not at the window's start.
    assert len(connector.arrived()) <= 302


def test_07_a_refused_token_that_scm_gives_out_again_is_no_circle(connector: Connector) -> None:
    connector.options(scm_page_size=10)
    records = connector.records_before(40)
    connector.issue(*records[1:], {**records[0], "timestamp": records[39]["timestamp"]})
    connector.pages((records[5:15], "1:1"))  # out of order: nothing before the window's start is settled
    connector.page_fault(nth=3, times=None, status=500)
    connector.run()
    token = connector.checkpoint[1]["token"]
    connector.clear_faults()
    connector.page_fault(status=400)
    connector.pages((records[:10], token), ([], None), first=2)

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert "WARN SCM rejected a page token; continuing by time" in ran.warnings
    assert set(connector.ids_arrived()) == {f"r{i}" for i in range(40)}


def test_08_a_short_page_is_not_the_end(connector: Connector) -> None:
    records = connector.records_before(139)
    connector.pages(
        (records[:100], "a"), (records[100:101], "b"), (records[101:138], "c"), (records[138:], "d"), ([], None)
    )

    assert connector.run().outcome == "caught up"
    assert len(set(connector.ids_arrived())) == 139
    assert len(connector.queries) == 5


def test_09_a_record_on_two_pages_and_in_the_next_run_arrives_once(connector: Connector) -> None:
    records = connector.records_before(4)
    connector.issue(*records)
    connector.pages((records[:3], "t1"), (records[2:], "t2"), ([], None))

    first = connector.run()
    connector.pass_time(2)
    second = connector.run()

    assert connector.ids_arrived() == ["r0", "r1", "r2", "r3"]
    assert (first.result["repeated"], second.result["repeated"], second.result["sent"]) == (1, 4, 0)


def test_09_repeats_stay_suppressed_however_short_the_interval(connector: Connector) -> None:
    connector.issue(*connector.records_before(10))

    repeated = []
    for _ in range(6):
        repeated.append(connector.run().result["repeated"])
        connector.pass_time(1)

    assert connector.ids_arrived() == sorted(f"r{i}" for i in range(10))
    assert repeated == [0, 10, 10, 10, 10, 0]


def test_09_the_same_id_with_different_content_is_kept_twice_with_a_warning(connector: Connector) -> None:
    at = moment(connector.now - timedelta(minutes=2))
    connector.issue(record("same", at, details="one"), record("same", at, details="two"))

    ran = connector.run()

    assert sorted(entry["content"] for entry in connector.arrived()) == ["[scm] issue: one", "[scm] issue: two"]
    assert ran.warnings == ["WARN record same came twice with different content; both are sent"]


@pytest.mark.parametrize("wrapper", ["records", "data", "items", "content"])
def test_10_an_object_around_the_records_is_understood(connector: Connector, wrapper: str) -> None:
    connector.pages(({wrapper: connector.records_before(2)}, "t1"), ({wrapper: []}, None))

    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["r0", "r1"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "Audit is being moved"}, "Audit is being moved"),
        ("null", "200 null"),
        ("<html>Wait a moment</html>", "<html>Wait a moment</html>"),
        ('[{"id":"cut', '[{"id":"cut'),
    ],
    ids=["message", "null", "HTML", "cut JSON"],
)
def test_10_a_200_that_is_no_page_is_tried_again_then_fails_with_its_text(
    connector: Connector, body: Any, told: str
) -> None:
    connector.page_fault(status=200, body=body, times=None)

    ran = connector.run()

    assert ran.state == "ERROR"
    assert told in ran.info.replace('\\"', '"') and "after 3 retries" in ran.info
    assert len(connector.queries) == 4


def test_10_a_page_that_is_whole_at_the_second_try_is_taken(connector: Connector) -> None:
    connector.issue(*connector.records_before(3))
    connector.page_fault(truncate=40)

    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["r0", "r1", "r2"]


def test_10_compressed_pages_and_a_byte_order_mark_are_read(connector: Connector) -> None:
    connector.issue(*connector.records_before(3))
    connector.page_fault(gzip=True)
    connector.page_fault(nth=2, status=200, body="\ufeff" + json.dumps([record("bom", connector.now)]))

    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["bom", "r0", "r1", "r2"]


def test_a_page_is_asked_for_while_the_one_before_is_sent(connector: Connector) -> None:
    connector.options(scm_page_size=1)
    connector.issue(*connector.records_before(3))
    connector.fault(api="logs", delay_s=15)

    connector.run()

    order = [line["path"] for line in connector.requests()]
    assert order.index(RECORDS) < order.index("/api/v2/logs/ingest")
    assert order[: order.index("/api/v2/logs/ingest")].count(RECORDS) == 4


ERRORS_IN_200 = [
    {"error": "backend timeout", "data": []},
    {"records": [], "errors": [{"code": -1, "description": "shard 3 did not answer"}]},
    {"status": "error", "items": []},
    {"success": False, "records": []},
    {"code": -16, "description": "Unknown user", "content": []},
    {"data": [], "meta": {"timed_out": True}},
    {"records": [], "data": []},
    "",
]


@pytest.mark.parametrize("body", ERRORS_IN_200, ids=str)
def test_L2_an_answer_with_a_sign_of_an_error_is_no_empty_page(connector: Connector, body: Any) -> None:
    connector.issue(*connector.records_before(3))
    fault = connector.page_fault(status=200, body=body, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and "after 3 retries" in ran.info
    assert body or "200 empty body" in ran.info
    assert connector.reached is None, "the window is not closed"
    connector.local.sim("DELETE", f"faults/{fault}")
    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["r0", "r1", "r2"]


def test_L2_an_object_that_says_that_all_is_well_is_a_page(connector: Connector) -> None:
    records = connector.records_before(2)
    fine = {"status": "OK", "code": 0, "error": None, "errors": [], "message": "success"}
    connector.pages(({**fine, "records": records}, "t1"), ({**fine, "records": []}, None))

    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["r0", "r1"]


def test_L3_L19_tokens_that_are_refused_every_time_lose_nothing(connector: Connector) -> None:
    records = connector.records_before(60, apart_s=60)
    connector.issue(*records)
    connector.options(scm_page_size=10)
    for number in (2, 4):
        connector.page_fault(nth=number, status=400, body={"description": "Invalid token"})

    ran = connector.run()

    assert ran.outcome == "caught up"
    assert ran.warnings == [
        "WARN SCM rejected a page token; continuing by time",
        "WARN SCM rejected a page token again; reading smaller windows",
    ]
    assert connector.ids_arrived() == sorted(f"r{i}" for i in range(60))
    assert len(connector.queries) <= 60


@pytest.mark.parametrize("status", [507, 520, 529, 599])
def test_L11_statuses_of_gateways_are_tried_again(connector: Connector, status: int) -> None:
    connector.issue(*connector.records_before(3))
    connector.page_fault(status=status, body="<html>gateway</html>")

    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["r0", "r1", "r2"]


def test_L11_a_rate_limit_that_does_not_say_for_how_long_ends_the_leg_in_good_order(connector: Connector) -> None:
    connector.issue(*connector.records_before(3))
    fault = connector.page_fault(status=429, body={"description": "Too many requests"}, times=None)

    ran = connector.run()

    assert (ran.state, ran.outcome) == ("SUCCESS", "more waiting")
    assert "429 Too many requests; rate limit" in ran.result["reason"]
    assert ran.result["retries"] > 3
    connector.local.sim("DELETE", f"faults/{fault}")
    assert connector.run().outcome == "caught up"
    assert connector.ids_arrived() == ["r0", "r1", "r2"]


@pytest.mark.parametrize(("status", "hint"), [(402, "subscription"), (403, "audit API access"), (404, "scmApiUrl")])
def test_L11_each_status_has_its_own_hint(connector: Connector, status: int, hint: str) -> None:
    connector.page_fault(status=status, body={"description": "No"}, times=None)

    ran = connector.run()

    assert ran.state == "ERROR" and f"{status} No" in ran.info and hint in ran.info
    assert len(connector.queries) == 1
