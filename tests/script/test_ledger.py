"""The documented DQL queries find what they are for: a hole, a silence, a delay, a duplicate."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from local_dynatrace.testing import Local
from tests import ROOT

from .connector import Connector, moment, record

DOCUMENTS = ("how-the-sync-script-works.md", "run.md")
QUERIES = {
    name: query
    for document in DOCUMENTS
    for name, query in re.findall(
        r"^```dql ([a-z ]+)\n(.*?)^```$",
        (ROOT / "docs" / document).read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
}
MINUTE = timedelta(minutes=1)


def run_every_ten_minutes(connector: Connector, times: int) -> None:
    for _ in range(times):
        connector.pass_time(10)
        connector.run()


def ask(connector: Connector, name: str) -> list[dict[str, Any]]:
    """What a query of the document finds; where it names a connector, this one."""
    return connector.query(QUERIES[name].replace("WORKFLOW_ID", connector.workflow))


def empty_bins(connector: Connector, name: str) -> list[datetime]:
    """Beginnings of the intervals in which this connector's time series has nothing."""
    (series,) = [found for found in ask(connector, name) if found["connector.workflow"] == connector.workflow]
    start = datetime.fromisoformat(re.sub(r"\.\d+Z$", "Z", series["timeframe"]["start"]))
    size = timedelta(microseconds=int(series["interval"]) / 1000)
    return [start + n * size for n, count in enumerate(series["runs"]) if int(count or 0) == 0]


def holes(connector: Connector, since: datetime) -> list[datetime]:
    """Minutes that are not covered, from the first covered one to the last run's end."""
    reached = connector.reached
    assert reached is not None
    return [minute for minute in empty_bins(connector, "holes") if since <= minute < reached]


def test_every_query_of_the_document_is_known() -> None:
    assert list(QUERIES) == ["run", "holes", "silences", "silent now", "lag", "duplicates", "alarm"]


def test_a_reader_can_tell_empty_from_broken(connector: Connector) -> None:
    connector.issue(*connector.records_before(3))
    connector.run()
    connector.pass_time(10)
    connector.run()
    connector.pass_time(10)
    connector.page_fault(status=403, body={"description": "Forbidden"}, times=None)
    connector.run()

    told = [(run["connector.outcome"], run["connector.sent"]) for run in ask(connector, "run")]
    broken = ask(connector, "run")[0]["connector.reason"]

    assert told == [("failed", "0"), ("caught up", "0"), ("caught up", "3")]
    assert broken == "SCM audit API: 403 Forbidden (is audit API access enabled for this key?)"


def test_a_quiet_day_shows_nothing(connector: Connector) -> None:
    begin = connector.now - 119 * MINUTE
    connector.run()
    run_every_ten_minutes(connector, 12)

    assert holes(connector, begin) == []
    assert [ask(connector, name) for name in ("silent now", "lag", "duplicates")] == [[], [], []]


def test_a_checkpoint_that_somebody_has_moved_shows_as_a_hole(connector: Connector) -> None:
    begin = connector.now - 119 * MINUTE
    connector.run()
    first = connector.now - MINUTE
    connector.pass_time(90)
    moved = connector.now - 30 * MINUTE
    connector.write("checkpoint", f"{moment(moved)}|somebody")
    connector.run()

    found = holes(connector, begin)

    assert (found[0], found[-1]) == (first, moved - MINUTE)
    assert len(found) == (moved - first) / MINUTE


def test_an_initial_checkpoint_that_skips_records_shows_as_a_hole(connector: Connector) -> None:
    begin = connector.now - 119 * MINUTE
    connector.run()
    connector.pass_time(90)
    connector.write("config", f'{{"initialCheckpoint":"{moment(connector.now - 20 * MINUTE)}"}}')
    connector.run()

    assert len(holes(connector, begin)) == 90 - 20 + 1


@pytest.mark.parametrize("nth", [14, 15, 16], ids=["saving", "reporting", "releasing"])
def test_a_killed_run_leaves_no_hole(connector: Connector, nth: int) -> None:
    begin = connector.now - 119 * MINUTE
    connector.run()
    connector.pass_time(10)
    connector.fault(api="*", caller="script", nth=nth, script="kill", when="after")
    assert connector.run().state == "ERROR"
    connector.clear_faults()
    connector.pass_time(10)
    connector.run()

    assert holes(connector, begin) == []


def test_a_run_that_cannot_tell_leaves_its_window_to_the_next_one(connector: Connector) -> None:
    begin = connector.now - 119 * MINUTE
    connector.run()
    connector.pass_time(10)
    # Only the run's own record is refused: there are no others.
    connector.fault(api="logs", caller="script", status=500, times=None)
    assert connector.run().outcome == "caught up"
    connector.clear_faults()
    connector.pass_time(10)
    connector.run()

    assert holes(connector, begin) == []


def test_a_silence_of_three_intervals_shows_while_it_lasts_and_afterwards(connector: Connector) -> None:
    begin = connector.now
    run_every_ten_minutes(connector, 3)
    connector.pass_time(31)
    assert len(ask(connector, "silent now")) == 1
    connector.pass_time(40)
    run_every_ten_minutes(connector, 2)

    silences = [half_hour for half_hour in empty_bins(connector, "silences") if half_hour >= begin]

    assert ask(connector, "silent now") == []
    assert silences and all(begin + 30 * MINUTE <= half_hour <= begin + 100 * MINUTE for half_hour in silences)


@pytest.mark.parametrize("name", ["silent now", "alarm"])
def test_no_run_at_all_is_silence(connector: Connector, name: str) -> None:
    assert len(ask(connector, name)) == 1


def test_a_connector_that_lives_does_not_answer_for_a_dead_one(connector: Connector, local: Local) -> None:
    dead = Connector(local)
    begin = connector.now - 119 * MINUTE
    for each in (connector, dead):
        each.run()
    died = dead.now
    run_every_ten_minutes(connector, 12)

    assert ask(connector, "silent now") == ask(connector, "alarm") == []
    assert len(ask(dead, "silent now")) == len(ask(dead, "alarm")) == 1

    # Somebody moves its checkpoint over the time that the other one has read.
    dead.write("checkpoint", f"{moment(dead.now - 10 * MINUTE)}|somebody")
    dead.run()

    assert holes(connector, begin) == []
    assert len(holes(dead, begin)) == 120 - 10 + 1
    assert [half_hour for half_hour in empty_bins(connector, "silences") if half_hour >= died] == []
    assert len([half_hour for half_hour in empty_bins(dead, "silences") if half_hour >= died]) >= 3


def test_a_run_that_is_skipped_breaks_no_silence(connector: Connector) -> None:
    begin = connector.now
    connector.run()
    # A lock that names no owner and holds for two hours.
    connector.write("lock", "RUNNING")
    run_every_ten_minutes(connector, 9)

    assert [run["connector.outcome"] for run in ask(connector, "run")][:9] == ["skipped"] * 9
    assert len(ask(connector, "silent now")) == len(ask(connector, "alarm")) == 1
    assert [half_hour for half_hour in empty_bins(connector, "silences") if half_hour >= begin]


def test_a_delay_shows_as_lag(connector: Connector) -> None:
    connector.run()
    connector.page_fault(status=503, times=None)
    run_every_ten_minutes(connector, 4)
    connector.clear_faults()

    late = ask(connector, "lag")

    assert [(int(run["lag"]) // 60, run["connector.outcome"]) for run in late] == [(41, "failed"), (31, "failed")]
    connector.run()
    assert int(connector.ledger()[-1]["connector.lagSeconds"]) < 120


def test_what_a_kill_repeats_shows_as_duplicates(connector: Connector) -> None:
    at: Any = connector.now - 2 * MINUTE
    connector.issue(record("twice", at), record("same id", at, details="one"), record("same id", at, details="two"))
    connector.fault(api="logs", caller="script", script="kill", when="after")
    connector.run()
    connector.run()

    found = ask(connector, "duplicates")

    assert sorted((entry["event.id"], int(entry["copies"])) for entry in found) == [
        ("same id", 2), ("same id", 2), ("twice", 2),
    ]  # fmt: skip


def test_L27_a_backfill_of_single_ids_claims_nothing(connector: Connector) -> None:
    connector.issue(*connector.records_before(5))
    window = {"from": moment(connector.now - 30 * MINUTE), "to": moment(connector.now - MINUTE)}

    some, all = (connector.run(backfill={**window, **ids}) for ids in ({"ids": ["r1"]}, {}))

    assert (some.outcome, some.result["sent"]) == ("backfilled", 1)
    assert "coveredFrom" not in some.result and "coveredTo" not in some.result
    assert [datetime.fromisoformat(all.result[name]) for name in ("coveredFrom", "coveredTo")] == [
        connector.now - 30 * MINUTE,
        connector.now - MINUTE,
    ]


def test_L27_what_was_read_but_not_saved_is_not_claimed(connector: Connector) -> None:
    connector.run()
    connector.pass_time(10)
    connector.issue(*connector.records_before(5))
    connector.fault(
        api="vault", method="PUT", path=f"*/{connector.ids['checkpoint']}", caller="script", times=None, status=403
    )
    reached = connector.reached

    assert connector.run().state == "ERROR"

    told = connector.ledger()[-1]
    assert reached is not None and datetime.fromisoformat(told["connector.coveredTo"]) <= reached


def test_L27_no_span_that_ends_before_it_begins_is_reported(connector: Connector) -> None:
    connector.write("config", f'{{"initialCheckpoint":"{moment(connector.now - 0.5 * MINUTE)}"}}')

    ran = connector.run()

    for begin, end in (("windowFrom", "windowTo"), ("coveredFrom", "coveredTo")):
        assert ran.result.get(begin, "") <= ran.result.get(end, "")
