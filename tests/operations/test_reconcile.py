"""The proof of completeness finds exactly what is missing, on a real deployment and in its pure parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.testing import Local
from operations import moments
from operations.ledger import Run
from operations.reconcile import walk
from operations.reconcile.compare import MOST_NAMED, Window, compare
from operations.reconcile.coverage import Coverage, by_clock
from operations.reconcile.report import Report
from operations.scm import AuditRecord
from tests.operations.conftest import Operated

COUNT = 10_000
NOW = datetime(2026, 1, 29, 10, tzinfo=UTC)
BEGIN = NOW - timedelta(hours=6)
LONG_AGO = NOW - timedelta(days=1)
READ = Coverage(LONG_AGO, high_water=NOW + timedelta(hours=1), stretches=[(BEGIN, NOW + timedelta(hours=1))])
"""A ledger without a hole."""


def record(number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"9d3cd09c-0000-4000-8000-{number:012d}",
        "timestamp": moments.iso(at),
        "type": "LOG",
        "service": "scm",
        "action": "issue",
        "status": "SUCCESS",
        "details": f"record {number}",
    }


def test_three_hidden_records_of_ten_thousand_are_named_and_nothing_else(
    prepare: Callable[..., Operated], local: Local, tmp_path: Path
) -> None:
    local.sim("PATCH", "options", {"scm_page_size": 1000})
    step = timedelta(hours=5) / COUNT
    records = [record(number, BEGIN + number * step) for number in range(COUNT)]
    hidden = [records[17], records[5000], records[9999]]
    local.sim("POST", "scm/records", {"records": [one for one in records if one not in hidden]})
    stack = prepare(initHistoryDuration="7h")
    stack.up()
    # SCM shows them only after the run has read past their time, by more than the overlap: a hole of the real kind.
    local.sim("POST", "scm/records", {"records": hidden})

    window = ("--from", "2026-01-29T03:30:00Z", "--to", "2026-01-29T09:50:00Z")
    report = tmp_path / "report.json"
    done = stack.operate("reconcile", *window, "--json", str(report), check=False)

    found = json.loads(report.read_text())
    assert done.code == 1
    missing = [id for window_ in found["windows"] for id in window_["missing"]]
    assert missing == [one["id"] for one in hidden]
    assert found["totals"] == {
        "scm": COUNT, "equal": COUNT - 3, "late": 0, "beforeStart": 0, "missing": 3, "foreign": 0, "repeats": 0,
    }  # fmt: skip
    assert found["ledger"]["sent"] == COUNT - 3
    assert found["ledger"]["notRead"] == []
    assert f"INCOMPLETE: 3 of {COUNT} records are missing" in done.text
    for one in hidden:
        assert f"\n  {one['timestamp']}  {one['id']}\n" in done.text
    assert (
        f"make backfill STACK=test FROM=2026-01-29T04:00:29Z TO=2026-01-29T04:00:32Z IDS={hidden[0]['id']}" in done.text
    )
    assert "reconcile [" in done.text and "100%" in done.text


def test_what_no_run_had_to_read_yet_is_late_and_not_missing(deployed: Operated, running: Local) -> None:
    now = datetime.now(UTC)
    running.sim("POST", "scm/records", {"records": [record(90_001, now - timedelta(seconds=20))]})

    done = deployed.operate("reconcile", "--from", "30m")

    assert "COMPLETE" in done.text
    assert "1 newer record is waiting for the next run" in done.text


def test_what_a_dead_connector_has_not_read_is_missing_and_not_late(
    prepare: Callable[..., Operated], local: Local, tmp_path: Path
) -> None:
    stack = prepare()
    stack.up()
    # Nothing runs any more: the scheduler of the tests is off.
    local.sim("POST", "clock", {"step": 4 * 3600})
    records = [record(n, NOW + timedelta(hours=n)) for n in (1, 2)]
    local.sim("POST", "scm/records", {"records": records})
    report = tmp_path / "report.json"

    for window in (("2026-01-29T09:30:00Z", "2026-01-29T13:00:00Z"), ("2026-01-29T10:30:00Z", "2026-01-29T13:00:00Z")):
        done = stack.operate("reconcile", "--from", window[0], "--to", window[1], "--json", str(report), check=False)

        found = json.loads(report.read_text())
        assert done.code == 1
        assert found["complete"] is False
        assert (found["totals"]["late"], found["totals"]["missing"]) == (0, 2)
        assert "INCOMPLETE: 2 of 2 records are missing" in done.text
        assert "Check make status STACK=test first" in done.text


def test_a_record_whose_time_is_unreadable_is_reported_and_proven_by_its_id(
    prepare: Callable[..., Operated], local: Local, tmp_path: Path
) -> None:
    clock = {"scm_from": "inclusive"}
    local.sim("PATCH", "options", clock)
    undated = [{**record(n, NOW), "timestamp": "last Tuesday"} for n in (1, 2)]
    # SCM places them where they came in, thirty minutes before the run.
    local.sim("POST", "scm/records", {"records": undated[:1]})
    local.sim("POST", "clock", {"step": 30 * 60})
    stack = prepare()
    stack.up()
    window = ("--from", "2026-01-29T09:30:00Z", "--to", "2026-01-29T11:00:00Z")

    arrived = stack.operate("reconcile", *window)
    local.sim("POST", "scm/records", {"records": undated[1:]})
    report = tmp_path / "report.json"
    done = stack.operate("reconcile", *window, "--json", str(report), check=False)

    assert f"arrived (unparseable time): 1\n  {undated[0]['id']}" in arrived.text
    assert "COMPLETE: all 1 SCM records due" in arrived.text
    assert done.code == 1
    assert f"missing (unparseable time): 1\n  {undated[1]['id']}" in done.text
    found = json.loads(report.read_text())
    assert found["complete"] is False
    unreadable = [one["unreadableTime"] for one in found["windows"] if one["unreadableTime"]["ids"]]
    assert [(one["ids"], one["missing"]) for one in unreadable] == [
        ([one["id"] for one in undated], [undated[1]["id"]])
    ]
    assert len(found["repair"]) == 1 and "IDS=" not in found["repair"][0]


def test_a_proxy_that_removes_the_cursor_gives_no_proof(
    prepare: Callable[..., Operated], local: Local, tmp_path: Path
) -> None:
    records = [record(number, BEGIN + number * timedelta(seconds=1)) for number in range(300)]
    local.sim("POST", "scm/records", {"records": records[:150]})
    stack = prepare(initHistoryDuration="7h")
    stack.up()
    # Behind the first page of a hundred.
    local.sim("POST", "scm/records", {"records": records[150:]})
    strip = {"api": "scm", "path": "/api/v1/records", "strip_headers": ["token"], "times": None}
    local.sim("POST", "faults", strip)
    window = ("--from", "2026-01-29T03:30:00Z", "--to", "2026-01-29T05:00:00Z")
    report = tmp_path / "report.json"

    by_time = stack.operate("reconcile", *window, "--json", str(report), check=False)

    assert by_time.code == 1
    assert json.loads(report.read_text())["totals"]["missing"] == 150, "reading went on by time"

    local.sim("POST", "scm/records", {"records": [record(n, BEGIN + timedelta(minutes=9)) for n in range(1000, 1250)]})
    crowded = stack.operate("reconcile", *window, "--json", str(report), check=False)

    assert crowded.code == 2
    assert "NOT COMPARED after 2026-01-29T03:30:00Z" in crowded.text
    assert "check whether a proxy removes the header" in crowded.text
    assert json.loads(report.read_text())["complete"] is False


def test_a_command_line_without_sense_is_refused_with_an_example(deployed: Operated) -> None:
    assert "use 2026-01-29T09:00:00Z" in deployed.operate("reconcile", "--from", "yesterday", check=False).text
    assert "the time range is empty" in deployed.operate("reconcile", "--from", "1h", "--to", "2h", check=False).text


# --- one window ------------------------------------------------------------------------------------------------------


def test_ids_are_sorted_into_equal_late_missing_foreign_and_repeated() -> None:
    scm = {"a": BEGIN, "b": BEGIN, "c": BEGIN, "d": NOW}
    window = compare(Window(BEGIN, NOW), scm, {"a": 1, "b": 3, "z": 1}, due_before=NOW)

    assert (window.scm, window.equal, window.late, window.repeats) == (4, 2, 1, 2)
    assert window.missing == [(BEGIN, "c")]
    assert window.foreign == ["z"]


def test_a_window_names_a_thousand_ids_and_counts_the_rest() -> None:
    window = compare(Window(BEGIN, NOW), {f"{n}": BEGIN for n in range(MOST_NAMED + 5)}, {}, due_before=NOW)

    assert (len(window.missing), window.missing_count) == (MOST_NAMED, MOST_NAMED + 5)
    report = Report("prod", "https://audit.demo.sectigo.com", BEGIN, NOW, READ, [window])
    assert report.text().splitlines()[0].startswith(f"INCOMPLETE: {MOST_NAMED + 5} of "), "the verdict comes first"
    assert f"  … and {MOST_NAMED - 5} more: JSON=file writes their IDs" in report.text()
    assert f"  … and {MOST_NAMED - 5} more: see proof.json" in report.text(json="proof.json")
    assert report.repairs() == ["make backfill STACK=prod FROM=2026-01-29T03:59:59Z TO=2026-01-29T10:00:02Z"], (
        "the window's whole span, as not all of the ids are named"
    )


def test_ids_that_a_shell_could_read_otherwise_stay_out_of_the_command() -> None:
    window = compare(Window(BEGIN, NOW), {"$(rm -rf ~)": BEGIN}, {}, due_before=NOW)

    [command] = Report("prod", "", BEGIN, NOW, READ, [window]).repairs()

    assert "rm" not in command


def test_records_without_an_id_and_without_a_time_have_a_command_too() -> None:
    window = compare(Window(BEGIN, NOW, nameless_scm=3, nameless_grail=1), {}, {}, due_before=NOW)
    other = compare(Window(BEGIN, NOW, unreadable=["x"]), {}, {}, due_before=NOW)
    lost = compare(Window(BEGIN, NOW, unreadable_nameless=1), {}, {}, due_before=NOW)

    for one, count in ((window, 2), (other, 1), (lost, 1)):
        report = Report("prod", "", BEGIN, NOW, READ, [one])
        assert (report.complete, report.missing) == (False, count)
        assert report.repairs() == ["make backfill STACK=prod FROM=2026-01-29T03:59:59Z TO=2026-01-29T10:00:02Z"]


def test_named_records_within_a_span_that_is_sent_as_a_whole_have_no_command_of_their_own() -> None:
    hour = timedelta(hours=1)
    first = compare(Window(BEGIN, BEGIN + hour, nameless_scm=1), {"a": BEGIN}, {}, due_before=NOW)
    second = compare(Window(BEGIN + hour, BEGIN + 2 * hour, nameless_scm=1), {}, {}, due_before=NOW)
    third = compare(Window(NOW - hour, NOW), {"b": NOW - hour}, {}, due_before=NOW)

    assert Report("prod", "", BEGIN, NOW, READ, [first, second, third]).repairs() == [
        "make backfill STACK=prod FROM=2026-01-29T03:59:59Z TO=2026-01-29T06:00:02Z",
        "make backfill STACK=prod FROM=2026-01-29T08:59:59Z TO=2026-01-29T09:00:02Z IDS=b",
    ]


def test_a_hole_marks_its_windows_has_a_command_and_is_no_loss_by_itself() -> None:
    coverage = Coverage.of([leg(0, 60), leg(90, 380)], LONG_AGO)
    windows = [Window(BEGIN + n * timedelta(hours=1), BEGIN + (n + 1) * timedelta(hours=1)) for n in range(3)]
    compare(windows[0], {"a": BEGIN}, {"a": 1}, due_before=NOW)
    report = Report("prod", "", BEGIN, BEGIN + timedelta(hours=3), coverage, windows)

    marked = [line for line in report.text().splitlines() if line.endswith("not fully read by any run")]

    assert [line[:16] for line in marked] == ["2026-01-29 05:00"]
    assert [one["notRead"] for one in report.shown()["windows"]] == [False, True, False]
    assert report.complete, "SCM was asked for that hour, and nothing of it is missing"
    assert report.repairs() == ["make backfill STACK=prod FROM=2026-01-29T04:59:59Z TO=2026-01-29T05:30:02Z"]


def test_windows_without_records_that_follow_each_other_are_one_row() -> None:
    hour = timedelta(hours=1)
    windows = [Window(BEGIN + n * hour, BEGIN + (n + 1) * hour) for n in range(6)]
    compare(windows[2], {"a": BEGIN + 2 * hour}, {"a": 1}, due_before=NOW)

    table = Report("prod", "", BEGIN, NOW, READ, windows).text().split("\n\n")[1].splitlines()

    assert [line.split("  ")[0] for line in table[2:5]] == [
        "2026-01-29 04:00 to 01-29 06:00", "2026-01-29 06:00 to 01-29 07:00", "2026-01-29 07:00 to 01-29 10:00",
    ]  # fmt: skip
    assert [line.endswith("no records") for line in table[2:5]] == [True, False, True]


def test_records_from_before_the_connector_began_are_not_missing() -> None:
    coverage = Coverage.of([leg(60, 120), leg(-120, -60, backfill=True)], LONG_AGO)
    coverage.began = coverage.began_at
    scm = {"before": BEGIN, "after": BEGIN + timedelta(minutes=90), "backfilled": BEGIN - timedelta(minutes=90)}
    window = compare(
        Window(BEGIN - timedelta(hours=3), NOW), scm, {}, due_before=NOW, is_early=coverage.is_before_begin
    )

    report = Report("prod", "", window.begin, NOW, coverage, [window])

    assert coverage.began == BEGIN + timedelta(hours=1)
    assert sorted(id for _, id in window.missing) == ["after", "backfilled"]
    assert report.shown()["totals"]["beforeStart"] == 1
    assert "1 record in SCM not counted: older than where the connector began (2026-01-29T05:00:00Z)" in report.text()
    assert all(a >= coverage.began for a, _ in report.holes), "nothing that it owes"


# --- memory ----------------------------------------------------------------------------------------------------------


class Source:
    """SCM with a given number of records a second, which notes how many ids it was asked for at once."""

    def __init__(self, a_second: int) -> None:
        self.a_second, self.largest = a_second, 0

    def pages(self, begin: datetime, end: datetime) -> Iterator[list[AuditRecord]]:
        given, at = 0, begin
        while at <= end:
            yield [AuditRecord(f"{at.timestamp():.0f}-{n}", at) for n in range(self.a_second)]
            given += self.a_second
            self.largest = max(self.largest, given)
            at += timedelta(seconds=1)


class Stored:
    """Grail that has every id it is asked for and tells the same ids as ``Source`` for a window."""

    def __init__(self, a_second: int) -> None:
        self.a_second = a_second

    def query_logs(self, dql: str, *, most: int) -> list[dict[str, Any]]:
        begin, end = (moments.parse(part.split('"')[1]) for part in dql.split(", ")[1:3])
        assert begin and end
        rows = []
        for second in range(int((end - begin).total_seconds())):
            at = begin + timedelta(seconds=second)
            rows += [
                {"id": f"{at.timestamp():.0f}-{n}", "copies": 1, "at": moments.iso(at), "nameless": None}
                for n in range(self.a_second)
            ]
            if len(rows) >= most:
                return rows[:most]
        return rows


def test_no_window_is_kept_that_is_larger_than_the_bound() -> None:
    source: Any = Source(a_second=10)
    sides = walk.Sides(source, Stored(10), due_before=NOW, most_ids=500)  # type: ignore[arg-type]

    found = list(walk.windows(sides, BEGIN, BEGIN + timedelta(minutes=10)))

    assert sum(window.scm for window in found) == sum(window.equal for window in found) == 6000
    assert max(window.scm for window in found) <= 500
    assert source.largest <= 500 + 3 * 10, "reading stops where the bound is passed"
    assert [window.begin for window in found[1:]] == [window.end for window in found[:-1]], "no second is left out"


def test_a_second_that_is_too_full_is_compared_all_the_same() -> None:
    source: Any = Source(a_second=40)
    sides = walk.Sides(source, Stored(40), due_before=NOW, most_ids=30)  # type: ignore[arg-type]

    found = list(walk.windows(sides, BEGIN, BEGIN + timedelta(seconds=4)))

    assert [window.equal for window in found] == [40, 40, 40, 40]


# --- the ledger ------------------------------------------------------------------------------------------------------


def leg(begin: int | None, end: int, *, outcome: str = "caught up", backfill: bool = False) -> Run:
    """A run that answers for minutes ``begin`` to ``end``."""
    at = BEGIN + timedelta(minutes=end)
    covered = None if begin is None else BEGIN + timedelta(minutes=begin)
    return Run(at, f"{outcome}-{end}", outcome, "", covered, covered and at, 1, 1, 0, 0, "", 60, backfill)


def holes(*runs: Run) -> list[tuple[int, int]]:
    found = Coverage.of(runs, LONG_AGO).holes(BEGIN, BEGIN + timedelta(hours=6))
    return [(int((a - BEGIN).total_seconds() / 60), int((b - BEGIN).total_seconds() / 60)) for a, b in found]


def test_runs_that_follow_each_other_leave_no_hole() -> None:
    assert holes(leg(0, 60), leg(60, 120, outcome="more waiting"), leg(120, 180, outcome="failed")) == []


def test_time_that_no_run_answers_for_is_a_hole() -> None:
    assert holes(leg(0, 60), leg(90, 180)) == [(60, 90)]
    assert holes(leg(30, 180)) == [(0, 30)]


def test_a_run_that_answers_for_nothing_proves_nothing() -> None:
    assert holes(leg(0, 60), leg(None, 90, outcome="failed"), leg(90, 180)) == [(60, 90)]
    assert Coverage.of([leg(None, 60, outcome="failed")], LONG_AGO).high_water is None


def test_what_is_newer_than_the_last_run_is_no_hole_yet() -> None:
    assert holes(leg(0, 60)) == []


def test_a_backfill_closes_a_hole_and_makes_nothing_due() -> None:
    runs = [leg(0, 60), leg(90, 180), leg(58, 95, outcome="backfilled", backfill=True)]

    assert holes(*runs) == []
    assert Coverage.of([*runs, leg(0, 300, backfill=True)], LONG_AGO).due_before == BEGIN + timedelta(minutes=175)


def test_records_become_due_by_the_clock_where_the_schedule_should_have_read_them() -> None:
    owed = by_clock(NOW, timedelta(minutes=10))

    assert owed == NOW - timedelta(minutes=10 + 1 + 5 + 2)
    dead = Coverage.of([leg(0, 60)], owed)
    assert dead.due_before == owed and dead.is_behind
    assert Coverage.of([], owed).due_before == owed, "no run at all"
    alive = Coverage.of([leg(0, 358)], owed)
    assert alive.due_before == NOW - timedelta(minutes=7) and not alive.is_behind


def test_what_a_dead_connector_owes_is_a_hole() -> None:
    owed = by_clock(NOW, timedelta(minutes=10))
    assert Coverage.of([leg(0, 60)], owed).holes(BEGIN, NOW) == [(BEGIN + timedelta(hours=1), owed)]
    assert Coverage.of([], owed).holes(BEGIN, NOW) == [(BEGIN, owed)]


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-01-29T09:44:11.611092Z", "2026-01-29T09:44:11.611092Z"),
        ("2026-01-29T09:44:11.611092000Z", "2026-01-29T09:44:11.611092Z"),
        ("2026-01-29T09:44:11+02:00", "2026-01-29T07:44:11Z"),
        ("2026-01-29T09:44:11+0200", "2026-01-29T07:44:11Z"),
        ("2026-01-29 09:44", "2026-01-29T09:44:00Z"),
        ("2026-01-29", "2026-01-29T00:00:00Z"),
    ],
)
def test_times_are_read_in_every_form_they_come_in(text: str, meant: str) -> None:
    moment = moments.parse(text)
    assert moment is not None
    assert moments.iso(moment) == meant


@pytest.mark.parametrize("text", ["", "NONE", "2026-13-01", "2026-01-29T25:00:00Z", None, 5])
def test_what_is_no_time_is_none(text: object) -> None:
    assert moments.parse(text) is None


def test_a_span_means_a_time_before_now() -> None:
    assert moments.given("1d2h30m", NOW) == NOW - timedelta(days=1, hours=2, minutes=30)
    with pytest.raises(ValueError, match="is not a valid time"):
        moments.given("soon", NOW)
