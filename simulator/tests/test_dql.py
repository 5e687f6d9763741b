"""The query language, over a store of its own: values by ``data record(…)``, logs by the table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_dynatrace.grail import dql
from local_dynatrace.grail.dql import DqlError
from local_dynatrace.grail.dql.commands import COMMANDS
from local_dynatrace.grail.dql.functions import FUNCTIONS
from local_dynatrace.grail.dql.parser import parse
from local_dynatrace.grail.dql.syntax import (
    Align,
    Binary,
    Braces,
    Call,
    Command,
    Constant,
    DurationLiteral,
    Each,
    Element,
    Field,
    Item,
    Query,
    Unary,
    render,
)
from local_dynatrace.grail.dql.values import encode, types_of
from local_dynatrace.kernel.data_objects import DataObject
from local_dynatrace.kernel.options import Options
from local_dynatrace.kernel.store import Store
from local_dynatrace.kernel.world import World
from local_dynatrace.logs import table

NOW = int(datetime(2026, 1, 29, 10, 30, 15, tzinfo=UTC).timestamp()) * 1_000_000
MANUAL = """fetch logs
| filter log.source == "sectigo-scm"
| sort timestamp desc
| limit 100"""
Run = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Ten records, a minute apart, the newest a minute old; an eleventh that cannot be seen yet."""
    world = World(Options(seed=1), Store(tmp_path_factory.mktemp("dql") / "world.sqlite"))
    world.clock.set_mode("frozen")
    world.clock.jump(NOW)
    world.store.create(table.SCHEMA)
    for n in range(1, 11):
        attributes = {"log.source": "sectigo-scm" if n % 2 else "other", "n": n, "event.id": f"id-{n // 3}"}
        if n % 5 == 0:
            attributes["flag"] = True
        level = ("INFO", "WARN", "ERROR")[n % 3]
        insert(world, NOW - n * 60_000_000, level, f"record {n}", attributes)
    insert(world, NOW - 1, "INFO", "not visible yet", {"log.source": "sectigo-scm"}, visible_us=NOW + 1)
    insert(world, NOW - 3 * 3_600_000_000, "INFO", "three hours old", {"log.source": "sectigo-scm"})
    yield world
    world.store.close()


def insert(
    world: World, at_us: int, level: str, content: str, attributes: dict[str, Any], visible_us: int | None = None
) -> None:
    seen = at_us if visible_us is None else visible_us
    status = {"SEVERE": "ERROR"}.get(level, level)
    source = attributes.get("log.source")
    table.insert(world, [table.LogRow(at_us, at_us, seen, source, level, status, content, json.dumps(attributes))])


@pytest.fixture
def run(world: World) -> Run:
    return lambda query: [encode(row) for row in ask(world, query).rows]


def ask(world: World, query: str, max_records: int = dql.MAX_RECORDS) -> dql.Result:
    return dql.prepare(query, world.clock.now_us()).run(world.store.db, max_records)


def refusal(world: World, query: str) -> DqlError:
    with pytest.raises(DqlError) as caught:
        ask(world, query)
    return caught.value


def value(run: Run, expression: str, record: str = "a = 1") -> Any:
    (row,) = run(f"data record({record}) | fields x = {expression}")
    return row["x"]


# fetching


def test_the_query_of_the_manual_shows_the_newest_first(run: Run) -> None:
    found = run(MANUAL)

    assert [row["n"] for row in found] == ["1", "3", "5", "7", "9"]
    assert found[0] == {
        "timestamp": "2026-01-29T10:29:15.000000000Z",
        "content": "record 1",
        "loglevel": "WARN",
        "status": "WARN",
        "log.source": "sectigo-scm",
        "n": "1",
        "event.id": "id-0",
    }


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ("", 10),
        (", from:-4h", 11),
        (", from:-4h, to:-1h", 1),
        (", from:now()-4h", 11),
        (", from:-5m", 5),
        (", from:now()-5m, to:now()-3m", 2),
        (", from:-0h@h", 10),
        (", from:now()@m", 0),
        (", from:-1d@d, to:now()@d", 0),
        (', from:"2026-01-29T10:25:15Z"', 5),
        (', from:"2026-01-29T11:25:15+01:00", to:"2026-01-29T10:27:15Z"', 2),
        (', timeframe:"2026-01-29T10:25:15Z/2026-01-29T10:27:15Z"', 2),
        (", from:toTimestamp(1769682315000000000)", 5),
        (", scanLimitGBytes:100, samplingRatio:1", 10),
        (', bucket:{"default_*"}', 10),
        (', bucket:"audit"', 0),
    ],
)
def test_a_timeframe_includes_its_start_and_excludes_its_end(run: Run, parameters: str, count: int) -> None:
    assert len(run(f"fetch logs{parameters}")) == count


def test_without_an_end_a_record_of_this_very_moment_is_seen(tmp_path: Path) -> None:
    world = World(Options(seed=1), Store(tmp_path / "world.sqlite"))
    world.clock.set_mode("frozen")
    world.clock.jump(NOW)
    world.store.create(table.SCHEMA)
    insert(world, NOW, "INFO", "now", {})
    found = [len(ask(world, query).rows) for query in ("fetch logs", "fetch logs, from:-1m, to:now()")]
    world.store.close()

    assert found == [1, 0]


def test_conditions_on_indexed_fields_narrow_what_is_scanned(world: World) -> None:
    narrow = ask(world, 'fetch logs | filter log.source == "other" and n > 4 | sort timestamp desc')
    wide = ask(world, 'fetch logs | filter lower(log.source) == "other" and n > 4 | sort timestamp desc')

    assert narrow.rows == wide.rows
    assert (narrow.scanned_records, wide.scanned_records) == (5, 10)


def test_a_limit_behind_a_remaining_condition_counts_what_is_left(run: Run) -> None:
    found = run('fetch logs | filter log.source == "other" | filter n < 5 | sort timestamp asc | limit 1')

    assert [row["n"] for row in found] == ["4"]


def test_more_records_than_the_limit_are_cut_off(world: World) -> None:
    cut = ask(world, "fetch logs", max_records=4)

    assert (len(cut.rows), cut.truncated) == (4, True)
    assert not ask(world, "fetch logs", max_records=10).truncated


# commands


def test_sorting_takes_several_keys_and_keeps_ties_in_order(run: Run) -> None:
    found = run("fetch logs | sort loglevel asc, n desc | fields loglevel, n | limit 4")

    assert [(row["loglevel"], row["n"]) for row in found] == [
        ("ERROR", "8"), ("ERROR", "5"), ("ERROR", "2"), ("INFO", "9"),
    ]  # fmt: skip


def test_null_is_the_lowest_of_all(run: Run) -> None:
    rows = "data record(a = 2), record(b = 1), record(a = 1), record(a = 1.5)"

    assert [row.get("a") for row in run(f"{rows} | sort a")] == [None, "1", 1.5, "2"]
    assert [row.get("a") for row in run(f"{rows} | sort a desc")] == ["2", 1.5, "1", None]


def test_fields_can_be_chosen_added_renamed_and_removed(run: Run) -> None:
    rows = "data record(a = 1, b = 2, `c d` = 3)"

    assert run(f"{rows} | fields b, twice = a * 2, a + 1") == [{"b": "2", "twice": "2", "a + 1": "2"}]
    assert run(f"{rows} | fieldsAdd e = a + 1, f = e + 1 | fieldsKeep e, f, missing") == [{"e": "2", "f": "3"}]
    assert run(f"{rows} | fieldsRename x = a, y = `c d` | fieldsRemove b") == [{"x": "1", "y": "3"}]


def test_dedup_keeps_the_first_in_the_order_asked_for(run: Run) -> None:
    assert [row["n"] for row in run("fetch logs | dedup event.id, sort:{n desc}")] == ["10", "8", "5", "2"]
    assert [row["n"] for row in run("fetch logs | sort n asc | dedup {event.id, log.source} | limit 3")] == [
        "1",
        "2",
        "3",
    ]


def test_filter_out_keeps_what_is_unknown(run: Run) -> None:
    assert len(run("fetch logs | filterOut flag == true")) == 8
    assert len(run("fetch logs | filter flag != true")) == 0


def test_search_looks_into_every_field_in_any_case(run: Run) -> None:
    assert [row["n"] for row in run('fetch logs | search "RECORD 10"')] == ["10"]
    assert len(run('fetch logs | search "sectigo*"')) == 5
    assert len(run('fetch logs | search "sectigo" and not content ~ "record 1"')) == 4


def test_summarize_counts_by_groups(run: Run) -> None:
    found = run('fetch logs | summarize n = count(), errors = countIf(loglevel == "ERROR"), by:{log.source}')

    assert sorted(found, key=lambda row: row["log.source"]) == [
        {"log.source": "other", "n": "5", "errors": "2"},
        {"log.source": "sectigo-scm", "n": "5", "errors": "1"},
    ]


def test_every_aggregation_gives_its_value(run: Run) -> None:
    (found,) = run(
        'data record(a = 3, s = "x"), record(a = 1, s = "y"), record(s = "x"), record(a = 4, s = "x")'
        " | summarize count(), countDistinct(s), sum(a), avg(a), min(a), max(a), takeMin(s), takeMax(s), takeFirst(a),"
        " takeLast(a), takeAny(a), collectDistinct(s), collectArray(a), median(a), percentile(a, 100),"
        " r = sum(a) / count()"
    )

    assert found == {
        "count()": "4", "countDistinct(s)": "2", "sum(a)": "8", "avg(a)": 8 / 3, "min(a)": "1", "max(a)": "4",
        "takeMin(s)": "x", "takeMax(s)": "y", "takeFirst(a)": "3", "takeLast(a)": "4", "takeAny(a)": "3",
        "collectDistinct(s)": ["x", "y"], "collectArray(a)": ["3", "1", "4"], "median(a)": 3.0,
        "percentile(a, 100)": 4.0, "r": "2",
    }  # fmt: skip


def test_summarize_of_nothing_is_one_record_unless_grouped(run: Run) -> None:
    assert run("fetch logs | filter false | summarize n = count(), s = sum(n)") == [{"n": "0", "s": None}]
    assert run("fetch logs | filter false | summarize n = count(), by:{loglevel}") == []


def test_groups_can_be_bins_of_time_and_null(run: Run) -> None:
    found = run("fetch logs | summarize n = count(), by:{t = bin(timestamp, 5m), flag} | sort t, flag")

    assert [(row["t"][11:16], row["flag"], row["n"]) for row in found] == [
        ("10:20", None, "4"), ("10:20", True, "1"), ("10:25", None, "4"), ("10:25", True, "1"),
    ]  # fmt: skip


def test_the_lag_of_the_newest_record_is_a_duration(run: Run, world: World) -> None:
    query = "fetch logs | summarize newest = takeMax(timestamp) | fieldsAdd lag = now() - newest"

    assert run(query) == [{"newest": "2026-01-29T10:29:15.000000000Z", "lag": "60000000000"}]
    (types,) = types_of(ask(world, query).rows)
    assert types["mappings"] == {"newest": {"type": "timestamp"}, "lag": {"type": "duration"}}


def test_a_timeseries_has_an_element_for_each_interval(run: Run) -> None:
    (found,) = run("fetch logs, from:now()-10m@m, to:now()@m | makeTimeseries n = count(default:0), interval:2m")

    assert found["timeframe"] == {"start": "2026-01-29T10:20:00.000000000Z", "end": "2026-01-29T10:30:00.000000000Z"}
    assert found["interval"] == "120000000000"
    assert found["n"] == ["2", "2", "2", "2", "2"]


# expressions


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("7 / 2", "3"), ("-7 / 2", "-3"), ("-7 % 3", "-1"), ("7 / 2.0", 3.5),
        ("1 / 0", None), ("9223372036854775807 + 1", None), ("0xff", "255"), ("2.5e1", 25.0), ("-3", "-3"),
        ("1 == 1.0", True), ('1 == "1"', None), ("null == null", None), ("1 != null", None), ('"a" < "b"', True),
        ("not null", None), ("null and false", False), ("null and true", None), ("null or true", True),
        ("null or false", None), ("true xor true", False), ("TRUE AND NOT FALSE", True),
        ("not 1 == 2 and true", True), ("1h / 2", "1800000000000"), ("1h / 30m", 2.0), ("90s > 1m", True),
        ("2 * 1m", "120000000000"), ("-5m", "-300000000000"),
        ("now() - 1h", "2026-01-29T09:30:15.000000000Z"), ("now()@h", "2026-01-29T10:00:00.000000000Z"),
        ("now() - 1d@d", "2026-01-28T00:00:00.000000000Z"), ("-1d@d", "2026-01-28T00:00:00.000000000Z"),
        ("now()@15m", "2026-01-29T10:30:00.000000000Z"), ("now()@w", "2026-01-26T00:00:00.000000000Z"),
        ("now()@w0", "2026-01-25T00:00:00.000000000Z"), ("now()@M", "2026-01-01T00:00:00.000000000Z"),
        ("now()@q", "2026-01-01T00:00:00.000000000Z"), ("now()@y", "2026-01-01T00:00:00.000000000Z"),
        ("in(a, 1, 2)", True), ("in(a, {3, 1})", True), ("a in {2, 3}", False), ("a not in {2}", True),
        ("in(missing, 1)", None), ("array(4, 5)[1]", "5"), ("array(4)[9]", None),
    ],
)  # fmt: skip
def test_an_operator_gives_its_value(run: Run, expression: str, expected: Any) -> None:
    assert value(run, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("isNull(missing)", True), ("isNotNull(a)", True), ("isTrueOrNull(missing)", True),
        ("isFalseOrNull(a == 1)", False), ('coalesce(missing, null, "x")', "x"), ('if(a > 0, "y")', "y"),
        ('if(a < 0, "y", else: "n")', "n"), ("if(missing, 1)", None), ("type(1h)", "duration"),
        ('contains("Sectigo", "sec")', False), ('contains("Sectigo", "sec", caseSensitive: false)', True),
        ('startsWith("abc", "ab")', True), ('endsWith("abc", "bc")', True), ('contains(missing, "x")', None),
        ('matchesValue("Sectigo-SCM", "sectigo*")', True), ('matchesValue("x", "y")', False),
        ('matchesValue(array("a", "b"), "B")', True), ('matchesPhrase("renewal failed: x", "FAILED")', True),
        ('matchesPhrase("renewals", "renewal")', False), ('matchesPhrase("renewals", "renewal*")', True),
        ('like("abc", "a%")', True), ('like("abc", "a_")', False), ('lower("AbÄ")', "abä"), ('upper("a")', "A"),
        ('trim("  a ")', "a"), ('concat("a", 1, 2.5)', "a12.5"), ('concat("a", "b", delimiter: "-")', "a-b"),
        ('substring("abcdef", from: 1, to: 3)', "bc"), ('substring("abcdef", from: -2)', "ef"),
        ('stringLength("äb")', "2"), ('splitString("a,b", ",")', ["a", "b"]),
        ('replaceString("a.b.c", ".", "-")', "a-b-c"), ('indexOf("abc", "c")', "2"), ("toString(1h)", "3600000000000"),
        ("toString(true)", "true"), ('toLong(" 42 ")', "42"), ('toLong("4.9")', "4"), ('toLong("x")', None),
        ('toDouble("1.5")', 1.5), ('toBoolean("TRUE")', True), ("toBoolean(0)", False),
        ('toTimestamp("2026-01-29T11:00:00+01:00")', "2026-01-29T10:00:00.000000000Z"),
        ('toTimestamp("2026-01-29")', "2026-01-29T00:00:00.000000000Z"), ('toTimestamp("x")', None),
        ('toDuration("5m")', "300000000000"), ("abs(-3)", "3"), ("round(2.5)", 3.0),
        ("round(2.345, decimals: 2)", 2.35),
        ("round(-0.5)", -1.0), ("ceil(1.2)", 2.0), ("floor(-1.2)", -2.0), ("sqrt(-1)", None), ("power(2, 10)", 1024.0),
        ("bin(17, 5)", "15"), ("bin(-1, 5)", "-5"), ("bin(now(), 1h)", "2026-01-29T10:00:00.000000000Z"),
        ('formatTimestamp(now(), format: "yyyy-MM-dd HH:mm")', "2026-01-29 10:30"), ("getHour(now())", "10"),
        ("getDayOfWeek(now())", "4"), ("unixMillisFromTimestamp(now())", "1769682615000"),
        ("timestampFromUnixMillis(0)", "1970-01-01T00:00:00.000000000Z"), ("arrayFirst(array(null, 2))", "2"),
        ("arraySize(array(1, 2))", "2"), ("arrayDistinct(array(1, 2, 1))", ["1", "2"]),
        ('jsonField("{\\"k\\": 1}", "k")', "1"), ("record(k = a)", {"k": "1"}), ('record(k = a)["k"]', "1"),
    ],
)  # fmt: skip
def test_a_function_gives_its_value(run: Run, expression: str, expected: Any) -> None:
    assert value(run, expression) == expected


def test_strings_have_escapes_and_names_may_be_quoted(run: Run) -> None:
    assert value(run, r'"a\"b\\c\n\tä😀"') == 'a"b\\c\n\tä😀'
    assert value(run, '"""one "line"\nand \\another"""') == 'one "line"\nand \\another'
    assert value(run, "`c d` + 1", record="`c d` = 1") == "2"


def test_comments_are_ignored(run: Run) -> None:
    assert run("data record(a = 1) // one | limit 0\n/* two\n| limit 0 */ | fields a") == [{"a": "1"}]


# refusals


@pytest.mark.parametrize(
    ("query", "type", "words", "at"),
    [
        ("", "PARSE_ERROR", "the end of the query", (0, 0)),
        ("fetch logs | filter a ==", "PARSE_ERROR", "the end of the query", (24, 24)),
        ("fetch logs |\n filter (a", "PARSE_ERROR", "Expected", (23, 23)),
        ("fetch logs ; x", "PARSE_ERROR", "Unexpected ';'", (11, 12)),
        ('fetch logs | filter a == "x', "PARSE_ERROR", "Unexpected", (25, 26)),
        ("fetch logs | fliter a", "UNKNOWN_COMMAND", "Did you mean filter", (13, 19)),
        ("fetch logs | lookup x", "MISSING_PARAMETER", "needs a subquery first", (13, 19)),
        ("fetch logs | lookup [fetch logs], sourceField:a", "MISSING_PARAMETER", "needs lookupField", (13, 19)),
        ("fetch logs | join [fetch logs], on:{a < b}", "UNSUPPORTED_JOIN", "left[a] == right[b]", (36, 41)),
        ("fetch logs | append [fetch logs | lookup x]", "MISSING_PARAMETER", "needs a subquery", (34, 40)),
        ("fetch logs | joinNested x = [fetch logs]", "UNSUPPORTED_COMMAND", "joinNested is not part", (13, 23)),
        ("fetch logs | filter n[] > 1", "ITERATIVE_EXPRESSION_NOT_ALLOWED", "only in fields, fieldsAdd", (20, 23)),
        ("fetch logs | fetch logs", "MISPLACED_COMMAND", "only begin", (13, 18)),
        ("filter a", "MISPLACED_COMMAND", "begin with fetch logs", (0, 6)),
        ("fetch bizevents", "UNSUPPORTED_DATA_OBJECT", "which holds logs.", (6, 15)),
        ("fetch lgos", "UNKNOWN_DATA_OBJECT", "Did you mean logs", (6, 10)),
        ("fetch logs, form:-2h", "UNKNOWN_PARAMETER", "Did you mean from", (12, 20)),
        ("fetch logs, from:-2h, from:-1h", "DUPLICATE_PARAMETER", "twice", (22, 30)),
        ('fetch logs, from:"yesterday"', "INVALID_TIMEFRAME", "from is not a point in time", (12, 28)),
        ("fetch logs, from:-1h, to:-2h", "INVALID_TIMEFRAME", "ends before", (12, 20)),
        ("fetch logs, from:a", "CONSTANT_EXPECTED", "refers to the field a", (17, 18)),
        ("fetch logs, samplingRatio:10", "UNSUPPORTED_SAMPLING", "must be 1", (12, 28)),
        ("fetch logs | fields contain(content, \"x\")", "UNKNOWN_FUNCTION", "Did you mean contains", (20, 41)),
        ("fetch logs | fields contains(content)", "WRONG_NUMBER_OF_ARGUMENTS", "takes 2 arguments, not 1", (20, 37)),
        ('fetch logs | fields lower(a, casing: 1)', "UNKNOWN_PARAMETER", "Available: none", (29, 38)),
        ("fetch logs | filter count() > 1", "AGGREGATION_NOT_ALLOWED", "only in summarize", (20, 27)),
        ("fetch logs | summarize lower(a)", "AGGREGATION_EXPECTED", "such as count()", (23, 31)),
        ("fetch logs | summarize count(), in:{a}", "PARSE_ERROR", "Unexpected", (34, 35)),
        ("fetch logs | summarize count(), bye:{a}", "UNKNOWN_PARAMETER", "Did you mean by", (32, 39)),
        ("fetch logs | fields a | filter b == 1", "FIELD_DOES_NOT_EXIST", "The field b doesn't exist.", (31, 32)),
        ("fetch logs | limit -1", "INVALID_PARAMETER", "whole number from 0", (19, 21)),
        ("fetch logs | limit n", "CONSTANT_EXPECTED", "refers to the field n", (19, 20)),
        ("fetch logs | filter 5", "BOOLEAN_EXPECTED", "not 5", (20, 21)),
        ("fetch logs | filter n in [fetch logs]", "ONE_FIELD_EXPECTED", "must give one field", (25, 37)),
        ("fetch logs | filter in(n, [fetch logs])", "ONE_FIELD_EXPECTED", "must give one field", (26, 38)),
        ("fetch logs | fields 9999999999999999999", "LITERAL_OUT_OF_RANGE", "too large", (20, 39)),
    ],
)  # fmt: skip
def test_a_query_that_cannot_run_is_refused_by_name_and_place(
    world: World, query: str, type: str, words: str, at: tuple[int, int]
) -> None:
    error = refusal(world, query)

    assert error.type == type
    assert words in error.message
    assert error.position is not None
    assert (error.position.start, error.position.end) == at


@pytest.mark.parametrize("inner", ["(" * 9000 + "1" + ")" * 9000, "not " * 9000 + "a", " or ".join("a" * 9000)])
def test_a_query_of_any_depth_is_answered(world: World, inner: str) -> None:
    try:
        ask(world, f"data record(a = 1) | fields x = {inner}")
    except DqlError as error:
        assert error.type == "QUERY_TOO_DEEP"


def test_a_text_that_is_no_unicode_matches_nothing(run: Run) -> None:
    assert run('fetch logs | filter log.source == "\\ud800"') == []


# types


def test_records_of_different_types_are_described_in_runs() -> None:
    rows = [{"a": 1}, {"a": None}, {"b": "x"}, {"a": "text"}, {"a": [1, 2]}, {"a": {"k": True}}]

    assert types_of(rows) == [
        {"indexRange": [0, 2], "mappings": {"a": {"type": "long"}, "b": {"type": "string"}}},
        {"indexRange": [3, 3], "mappings": {"a": {"type": "string"}}},
        {
            "indexRange": [4, 4],
            "mappings": {
                "a": {"type": "array", "types": [{"indexRange": [0, 1], "mappings": {"element": {"type": "long"}}}]}
            },
        },
        {
            "indexRange": [5, 5],
            "mappings": {
                "a": {"type": "record", "types": [{"indexRange": [0, 0], "mappings": {"k": {"type": "boolean"}}}]}
            },
        },
    ]


# many records


@pytest.mark.slow
def test_a_sorted_query_scans_only_what_its_limit_needs(tmp_path: Path) -> None:
    world = World(Options(seed=1), Store(tmp_path / "world.sqlite"))
    world.clock.set_mode("frozen")
    world.clock.jump(NOW)
    world.store.create(table.SCHEMA)
    attributes = json.dumps({"log.source": "sectigo-scm", "event.id": "x" * 36, "event.action": "renew"})
    rows = [
        table.LogRow(NOW - n * 1000, NOW, NOW, "sectigo-scm", "INFO", "INFO", "[scm] renew: x", attributes)
        for n in range(100_000)
    ]
    with world.store.transaction():
        table.insert(world, rows)
    first = ask(world, MANUAL)
    every = ask(world, 'fetch logs | filter contains(content, "renew") | summarize n = count(), by:{event.action}')
    world.store.close()

    assert first.scanned_records == 100
    assert every.rows == [{"event.action": "renew", "n": 100_000}]


def test_an_alignment_in_parentheses_stays_there() -> None:
    aligned = "fetch logs\n| filter a + (1d@h)"

    assert render(parse(aligned)) == aligned
    assert parse(aligned) != parse("fetch logs | filter a + 1d@h")


# by properties


NAMES = st.sampled_from(["a", "log.source", "timestamp", "with space", "n`q", "and", "Ä"])
CONSTANTS = st.one_of(
    st.none(), st.booleans(), st.integers(0, 2**63 - 1), st.floats(0, 1e300, allow_nan=False), st.text(max_size=5)
)
UNITS = st.sampled_from(["ns", "us", "ms", "s", "m", "h", "d", "w"])
OPERATORS = st.sampled_from(["and", "or", "xor", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "~"])
ALIGNMENTS = st.sampled_from(["h", "d", "15m", "w", "w0", "M", "q", "y"])


def _items(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Item, ...]]:
    alias = st.builds(lambda value, name: Item(value, alias=name), inner, NAMES)
    parameter = st.builds(lambda value: Item(value, parameter="by"), inner)
    order = st.builds(lambda value, word: Item(value, order=word), inner, st.sampled_from(["asc", "desc"]))
    return st.lists(st.one_of(st.builds(Item, inner), alias, parameter, order), max_size=3).map(tuple)


LEAVES = st.one_of(
    st.builds(Constant, CONSTANTS), st.builds(Field, NAMES), st.builds(DurationLiteral, st.integers(0, 10**9), UNITS)
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Unary, st.sampled_from(["-", "not"]), inner),
        st.builds(Binary, OPERATORS, inner, inner),
        st.builds(Align, inner, ALIGNMENTS),
        st.builds(Element, inner, inner),
        st.builds(Each, inner),
        st.builds(Call, st.sampled_from(sorted({*FUNCTIONS, "count", "sum", "now"})), _items(inner)),
        st.builds(Braces, _items(inner)),
    ),
    max_leaves=8,
)
COMMAND_NAMES = st.sampled_from(sorted(COMMANDS))
QUERIES = st.builds(
    lambda commands: Query((Command("fetch", (Item(Field("logs")),)), *commands)),
    st.lists(st.builds(Command, COMMAND_NAMES, _items(EXPRESSIONS)), max_size=3),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(QUERIES)
def test_a_tree_survives_being_written_and_read(tree: Query) -> None:
    assert parse(render(tree)) == tree


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES)
def test_a_well_formed_query_gives_records_or_a_refusal(world: World, query: Query) -> None:
    try:
        result = ask(world, render(query))
    except DqlError:
        return
    json.dumps([[encode(row) for row in result.rows], types_of(result.rows)], allow_nan=False)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet='fetchlogs |,:="`\\/*@-+(){}[]0123456789.~\nandäü\ud800', max_size=60))
def test_any_text_gives_records_or_a_refusal(world: World, text: str) -> None:
    for query in (text, f"fetch logs | {text}", f"data record(a = {text})"):
        try:
            ask(world, query)
        except DqlError as error:
            assert error.position is None or 0 <= error.position.start <= error.position.end <= len(query) + 1


def test_a_series_of_nothing_is_a_row_of_defaults_only_when_it_is_asked_for(world: World) -> None:
    silent = 'fetch logs | filter content == "nobody writes this" | makeTimeseries n = count(default: 0), interval: 1m'

    assert ask(world, silent).rows == []
    only = ask(world, f"{silent}, nonempty: true, from: -10m").rows
    assert [row["n"] for row in only] == [[0] * 11]  # the minute that has begun counts
    (grouped,) = ask(world, f"{silent}, nonempty: true, by: {{log.source}}, from: -10m").rows
    assert grouped["log.source"] is None


def test_other_tables_are_read_by_name_and_timeframe_with_their_own_permission(world: World) -> None:
    def read(_: sqlite3.Connection, from_us: int, to_us: int) -> list[dict[str, Any]]:
        every = [{"timestamp": NOW - minutes * 60_000_000, "minutes": minutes, "end": NOW} for minutes in (1, 90, 180)]
        return [record for record in every if from_us <= record["timestamp"] < to_us]

    tables = {"dt.system.events": DataObject(read, "storage:system:read", frozenset({"timestamp", "end"}))}
    query = "fetch dt.system.events | fieldsAdd late = end - timestamp"
    prepared = dql.prepare(query, NOW, data_objects=tables)

    found = [encode(row) for row in prepared.run(world.store.db).rows]

    assert [(row["minutes"], row["late"]) for row in found] == [("90", str(5400 * 10**9)), ("1", str(60 * 10**9))]
    assert prepared.pipeline.permissions == {"storage:system:read"}
    with pytest.raises(DqlError, match=r"dt\.system\.events is not part of the local environment, which holds logs"):
        ask(world, query)


def test_append_puts_the_records_of_a_subquery_behind(run: Run) -> None:
    found = run("data record(a = 2), record(a = 7) | append [data record(a = 3, b = 1) | filter a > 2]")

    assert [(row["a"], row.get("b")) for row in found] == [("2", None), ("7", None), ("3", "1")]


CITIES = 'data record(city = "Vienna", guests = 3), record(city = "Oslo", guests = 2), record(city = null, guests = 1)'
LANDS = """[data record(name = "Vienna", land = "Austria"), record(name = "Vienna", land = "Virginia"),
record(name = "Bergen", land = "Norway"), record(name = null, land = "Nowhere")]"""


@pytest.mark.parametrize(
    ("command", "names", "expected"),
    [
        (
            f"lookup {LANDS}, sourceField: city, lookupField: name", ("guests", "lookup.name", "lookup.land"),
            [("3", "Vienna", "Austria"), ("2", None, None), ("1", None, None)],
        ),
        (
            f"lookup {LANDS}, sourceField: city, lookupField: name, fields: {{country = land}}", ("guests", "country"),
            [("3", "Austria"), ("2", None), ("1", None)],
        ),
        (
            f'lookup {LANDS}, sourceField: city, lookupField: name, prefix: "in.", fields: {{land}}',
            ("city", "in.land"), [("Vienna", "Austria"), ("Oslo", None), (None, None)],
        ),
        (
            f"join {LANDS}, on: {{left[city] == right[name]}}", ("guests", "right.land"),
            [("3", "Austria"), ("3", "Virginia")],
        ),
        (
            f"join {LANDS}, on: right[name] == left[city], kind: leftOuter, fields: {{land}}", ("guests", "land"),
            [("3", "Austria"), ("3", "Virginia"), ("2", None), ("1", None)],
        ),
        (
            f"join {LANDS}, on: {{left[city] == right[name]}}, kind: outer", ("guests", "right.land"),
            [("3", "Austria"), ("3", "Virginia"), ("2", None), ("1", None), (None, "Norway"), (None, "Nowhere")],
        ),
        (
            'join [data record(city = "Oslo", code = 47)], on: {city}, fields: {code}', ("city", "guests", "code"),
            [("Oslo", "2", "47")],
        ),
    ],
)  # fmt: skip
def test_records_meet_those_of_a_subquery(
    run: Run, command: str, names: tuple[str, ...], expected: list[tuple[str | None, ...]]
) -> None:
    assert [tuple(row.get(name) for name in names) for row in run(f"{CITIES} | {command}")] == expected


def test_a_subquery_is_the_list_that_in_looks_into(run: Run) -> None:
    noisy = "[fetch logs | summarize n = count(), by: {event.id} | filter n > 2 | fields event.id]"

    found = run(f"fetch logs | filter event.id in {noisy} | summarize n = count(), by: {{event.id}}")
    others = run(f"fetch logs | filter not in(event.id, {noisy}) | summarize ids = collectDistinct(event.id)")

    assert {row["event.id"]: row["n"] for row in found} == {"id-1": "3", "id-2": "3"}
    assert set(others[0]["ids"]) == {"id-0", "id-3"}


def test_what_a_subquery_reads_counts_and_needs_its_permission(world: World) -> None:
    result = ask(world, "data record(a = 1) | append [fetch logs | fields a = content]")

    assert result.scanned_records == 10
    prepared = dql.prepare("data record(a = 1) | append [fetch logs]", NOW)
    assert prepared.pipeline.permissions == {"storage:logs:read"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("array(1, 2, 3)[] * 2", ["2", "4", "6"]),
        ("array(1, 2)[] / array(4, 0)[] ", ["0", None]),
        ('if(array(1, null, 5)[] > 1, "high", else: "low")', ["low", "low", "high"]),
        ("iAny(array(1, 2)[] > 1)", True),
        ("arraySum(iCollectArray(array(1, 2)[] + 1))", "5"),
        ("5[]", None),
        ("arraySum(array(1, null, 2))", "3"),
        ("arrayAvg(array(1, null, 2))", 1.5),
        ("arrayMax(array(1, null, 2))", "2"),
        ("arrayMin(array())", None),
        ("arrayMedian(array(3, 1, 2))", 2.0),
        ("arrayPercentile(array(0, 10), 90)", 9.0),
        ("arrayCumulativeSum(array(1, null, 2))", ["1", "1", "3"]),
        ("arrayDelta(array(1, 4, 2, null))", ["0", "3", "0", None]),
        ("arrayMovingSum(array(1, 2, 3), 2)", ["1", "3", "5"]),
        ("arrayMovingAvg(array(1, 3), 60)", [1.0, 2.0]),
        ('arraySort(array(3, null, 1), direction: "descending")', ["3", "1", None]),
        ("arraySlice(array(1, 2, 3), from: 1)", ["2", "3"]),
        ("arrayReverse(array(1, 2))", ["2", "1"]),
        ("arrayRemoveNulls(array(1, null))", ["1"]),
        ('arrayIndexOf(array("a", "b"), "b")', "1"),
        ('arrayToString(array(1, "b", null), delimiter: ", ")', "1, b"),
        ("arraySize(5)", None),
    ],
)
def test_arrays_are_computed_with_as_wholes_and_by_element(run: Run, expression: str, expected: object) -> None:
    assert run(f"data record(x = 1) | fieldsAdd r = {expression}")[0]["r"] == expected


def test_arrays_and_records_are_taken_apart(run: Run) -> None:
    assert run("data record(a = array(1, 2, 3), b = 7), record(a = array(), b = 8) | expand a, limit: 2") == [
        {"a": "1", "b": "7"}, {"a": "2", "b": "7"},
    ]  # fmt: skip
    assert run("data record(a = array(1), b = 7) | expand one = a | fields one") == [{"one": "1"}]
    (flat,) = run("data record(r = record(a = 1, b = 2)) | fieldsFlatten r")
    assert (flat["r.a"], flat["r.b"]) == ("1", "2")
    (flat,) = run('data record(r = record(a = 1)) | fieldsFlatten r, prefix: ""')
    assert flat["a"] == "1"


def test_a_bucket_can_be_filtered_and_shows_only_where_it_is_named(run: Run) -> None:
    assert "dt.system.bucket" not in run("fetch logs | limit 1")[0]
    assert run('fetch logs | filter dt.system.bucket == "default_logs" | summarize n = count()') == [{"n": "10"}]
    assert run('fetch logs | filter dt.system.bucket == "audit" | summarize n = count()') == [{"n": "0"}]


def test_queries_that_begin_alike_share_what_they_read_and_nothing_else(world: World) -> None:
    queries = [
        'fetch logs | filter log.source == "sectigo-scm" | fieldsAdd m = n * 2 | summarize c = count(), s = sum(m)',
        'fetch logs | filter log.source == "sectigo-scm" | fieldsAdd m = n * 2 | filter m > 6 | fields m',
        'fetch logs | filter log.source == "sectigo-scm" | fieldsAdd m = n * 2 | filter m > 6 | fieldsAdd m = 1',
        'fetch logs | filter log.source == "sectigo-scm" | fieldsAdd m = n * 2 | fieldsRemove m | summarize count()',
        'fetch logs | filter log.source == "sectigo-scm" | fieldsAdd m = n * 2 | fields m',
        'fetch logs | filter log.source == "sectigo-scm"',
        'fetch logs | filter log.source == "sectigo-scm" | filter loglevel == "ERROR" | fields n',
        'fetch logs | filter log.source == "sectigo-scm" | sort timestamp desc | limit 2 | fields n',
        'fetch logs, from: -4m | filter log.source == "sectigo-scm" | fields n',
        "fetch logs | filter n in [fetch logs | summarize n = max(n)] | fields n",
    ]
    shared: dql.Beginnings = {}

    def both(query: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        alone = dql.prepare(query, NOW).run(world.store.db)
        together = dql.prepare(query, NOW).run(world.store.db, beginnings=shared)
        return alone.rows, together.rows

    for query in (*queries, *reversed(queries)):
        alone, together = both(query)
        assert alone == together, query
    read = dql.prepare(queries[0], NOW).run(world.store.db, beginnings=shared)
    assert read.scanned_records == 0
