"""The dashboard page: any document of the type is drawn by running its tiles."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from local_dynatrace.pages import dashboards, markdown, timeframe, variables
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import api_token, bearer

NOON = "2026-01-29T12:00:00Z"
NOON_US = 1_769_688_000_000_000
BOARD = "/ui/apps/dynatrace.dashboards/dashboard"


@pytest.fixture
def records(local: Local) -> Local:
    """Six records of the last hour, and one of three hours ago."""
    local.sim("POST", "clock", {"mode": "frozen", "jump": NOON})
    sent = [
        {"timestamp": f"2026-01-29T11:{n}0:00Z", "content": f"number {n}", "loglevel": "ERROR" if n == 3 else "INFO",
         "service": "mail" if n % 2 else "shop", "took": n * 1.5}
        for n in range(6)
    ]  # fmt: skip
    sent.append({"timestamp": "2026-01-29T09:00:00Z", "content": "early", "service": "shop", "loglevel": "INFO"})
    answer = local.call("POST", "/api/v2/logs/ingest", json=sent, headers=api_token(local, "logs.ingest"))
    assert answer.status_code == 204
    return local


def deploy(local: Local, *tiles: dict[str, Any], id: str = "board", **content: Any) -> None:
    """A dashboard with these tiles side by side."""
    whole = {
        "version": 21, "variables": [], "tiles": {str(n): tile for n, tile in enumerate(tiles)},
        "layouts": {str(n): {"x": n * 4, "y": 0, "w": 4, "h": 3} for n in range(len(tiles))}, **content,
    }  # fmt: skip
    upload(local, json.dumps(whole), id=id)


def upload(local: Local, content: str, id: str = "board", type: str = "dashboard") -> None:
    files = [("id", (None, id)), ("name", (None, "A board")), ("type", (None, type)),
             ("content", ("content.json", content, "application/json"))]  # fmt: skip
    who = bearer(local, "document:documents:write")
    answer = local.call("POST", "/platform/document/v1/documents", files=files, headers=who)
    assert answer.status_code == 201, answer.text


def data(query: str, visualization: str = "table", **more: Any) -> dict[str, Any]:
    return {"type": "data", "title": "A tile", "query": query, "visualization": visualization, **more}


def drawn(local: Local, query: str = "", id: str = "board") -> str:
    answer = local.call("GET", f"{BOARD}/{id}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_every_document_is_listed_and_dashboards_open(local: Local) -> None:
    deploy(local)
    upload(local, "{}", id="notes", type="notebook")

    text = local.call("GET", "/ui/apps/dynatrace.dashboards").text

    assert f'<a href="{BOARD}/board">A board</a>' in text
    assert "notebook" in text and f"{BOARD}/notes" not in text
    assert local.call("GET", f"{BOARD}/notes").status_code == 404
    assert "This dashboard has no tiles." in drawn(local)


@pytest.mark.parametrize("content", ["no json", "[]", '"text"'])
def test_a_document_that_cannot_be_drawn_says_so(local: Local, content: str) -> None:
    upload(local, content)

    assert "This document cannot be drawn" in drawn(local)
    assert local.call("GET", f"{BOARD}/board/layout.css").status_code == 200


@pytest.mark.parametrize(
    ("tile", "expected"),
    [
        (data("fetch logs | summarize n = count()", "singleValue"), [r"<strong>7</strong>"]),
        (
            data(
                "fetch logs | summarize n = count(), most = max(took)", "singleValue",
                visualizationSettings={"singleValue": {"recordField": "most", "label": "longest"},
                                       "unitsOverrides": [{"identifier": "most", "suffix": "ms"}]},
            ),
            [r"<strong>7.5</strong> <span>ms</span>", "longest"],
        ),
        (data("fetch logs | filter content == \"x\" | limit 1", "singleValue"), ["No records in this timeframe."]),
        (data("fetch logs | summarize last = max(timestamp)", "singleValue"), ["<strong>2026-01-29 11:50:00</strong>"]),
        (
            data("fetch logs | makeTimeseries n = count(default: 0), by: {service}, interval: 10m", "lineChart"),
            [r'class="trace c0"', r"</i>mail", r"</i>shop", r"11:30", r"mail 1"],
        ),
        (
            data("fetch logs | makeTimeseries n = count(), by: {loglevel}, interval: 10m", "barChart"),
            [r'<rect class="bad"', r'<rect class="calm"', r"2026-01-29 11:30:00 UTC: ERROR 1"],
        ),
        (
            data("fetch logs | makeTimeseries {a = count(), b = max(took)}, interval: 30m", "areaChart"),
            [r"</i>a", r"</i>b", r'class="wash c1"'],
        ),
        (
            data("fetch logs | summarize n = count(), by: {service, loglevel} | sort n desc", "categoricalBarChart"),
            [r'class="name">shop · INFO</span><span class="value">4', r'width="100.0"'],
        ),
        (data("fetch logs | summarize n = count(), by: {service}", "pieChart"), ["pieChart is drawn as bars here."]),
        (data("fetch logs | summarize n = count(), by: {service}", "lineChart"), ["lineChart needs makeTimeseries"]),
        (data("fetch logs | fields service", "categoricalBarChart"), ["needs a number: shown as a table"]),
        (
            data("fetch logs | fields timestamp, took, content | sort timestamp desc | limit 1"),
            [r'<th scope="col" class="number">took</th>', "2026-01-29 11:50:00", r'class="number">7.5'],
        ),
        (data("fetch logs", "honeycomb"), ["honeycomb is not drawn here: shown as a table."]),
        (data("fetch logs | filter content == \"x\""), ["No records in this timeframe."]),
        (data("fetch logs | fliter x"), ["The command fliter doesn&#39;t exist", "line 1, column 14", r"\^\^\^"]),
        ({"type": "code", "input": "x"}, ["Tiles of type code are not part of the local environment."]),
        (
            {"type": "markdown", "content": "# Big\n**bold** <script>alert(1)</script> [a](javascript:x) [b](/x)"},
            ["<h2>Big</h2>", "<strong>bold</strong>", "&lt;script&gt;", r'<a href="/x">b</a>'],
        ),
    ],
)  # fmt: skip
def test_a_tile_is_drawn_or_says_why_not(records: Local, tile: dict[str, Any], expected: list[str]) -> None:
    deploy(
        records, tile, settings={"defaultTimeframe": {"enabled": True, "value": {"from": "now()-24h", "to": "now()"}}}
    )

    text = drawn(records)

    assert [part for part in expected if not re.search(part, text)] == []
    assert "javascript:" not in text.replace("javascript:x) <a", "")


def test_the_timeframe_comes_from_the_address_then_the_dashboard_then_is_two_hours(records: Local) -> None:
    count = data("fetch logs | summarize n = count()", "singleValue")
    deploy(records, count)
    deploy(records, count, id="day", settings={"defaultTimeframe": {"value": {"from": "now()-24h", "to": "now()"}}})
    own = {"tileTimeframeEnabled": True, "tileTimeframe": {"from": "now()-20m", "to": "now()"}}
    deploy(records, {**count, "timeframe": own}, id="own")

    def number(query: str = "", id: str = "board") -> str:
        found = re.search(r"<strong>(.*?)</strong>", drawn(records, query, id))
        assert found
        return found[1]

    assert number() == "6"
    assert number(id="day") == "7"
    assert number(id="own") == "2"
    assert number("?from=now()-30m&to=now()", "day") == "3"
    assert number("?from=2026-01-29T08:00&to=2026-01-29T10:00") == "1"
    assert "is not a time; write now()-24h" in drawn(records, "?from=yesterday")
    assert "ends before it starts" in drawn(records, "?from=now()&to=now()-1h")


VARIABLES = [
    {"key": "service", "type": "query", "multiple": True, "input": "fetch logs | dedup service | fields service",
     "defaultValue": [variables.ALL]},
    {"key": "level", "type": "csv", "input": "INFO, ERROR", "defaultValue": "ERROR"},
    {"key": "word", "type": "text", "defaultValue": ""},
]  # fmt: skip
CHOSEN = (
    "fetch logs | filter in(service, array($service)) and contains(content, $word) // $level\n"
    '| summarize n = countIf(loglevel == $level), text = takeAny("$level $$"), all = count()'
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["1", "$level $$", "6"]),
        ("?vfilter_level=INFO", ["5", "$level $$", "6"]),
        ("?vfilter_service=mail&vfilter_level=INFO", ["2", "$level $$", "3"]),
        ("?vfilter_service=mail&vfilter_service=shop&vfilter_word=number+3", ["1", "$level $$", "1"]),
        ("?vfilter_service=nobody", ["0", "\u2013", "0"]),
        ('?vfilter_word="+or+true+or+"', ["0", "\u2013", "0"]),
    ],
)
def test_variables_fill_the_queries(records: Local, query: str, expected: list[str]) -> None:
    deploy(records, data(CHOSEN), variables=VARIABLES)

    cells = re.findall(r"<td[^>]*>(.*?)</td>", drawn(records, query))

    assert cells == expected


def test_a_variable_shows_its_choices_and_what_is_chosen(records: Local) -> None:
    deploy(records, {"type": "markdown", "content": "Level $level of $nothing"}, variables=VARIABLES)

    text = drawn(records, "?vfilter_service=mail")

    assert re.search(r'value="mail" checked', text)
    assert re.search(r'value="shop">', text)
    assert "<option selected>ERROR</option>" in text
    assert "Level ERROR of $nothing" in text


def test_a_variable_that_cannot_be_read_says_so_and_the_rest_is_drawn(records: Local) -> None:
    broken = [{"key": "a", "type": "query", "multiple": True, "input": "fetch lgos"}, {"key": "b", "type": "code"}]
    deploy(records, data("fetch logs | summarize n = count()", "singleValue"), variables=broken)

    text = drawn(records)

    assert "The data_object lgos doesn&#39;t exist" in text
    assert "<strong>6</strong>" in text


def test_tiles_come_in_reading_order_and_keep_their_places() -> None:
    content = {
        "tiles": {"b": {"type": "markdown"}, "a": {"type": "data"}, "lost": {"type": "markdown"}},
        "layouts": {"a": {"x": 4, "y": 2, "w": 8, "h": 3}, "b": {"x": 0, "y": 0, "w": 24, "h": 1}},
        "settings": {"gridLayout": {"columnsCount": 12}},
    }

    assert [key for key, _, _ in dashboards.placed(content)] == ["b", "a", "lost"]
    css = dashboards.stylesheet(content)
    assert "repeat(12, minmax(0, 1fr))" in css
    assert ".tile-2 { grid-area: 3 / 5 / span 3 / span 8; }" in css
    assert "tile-3" not in css


@pytest.mark.parametrize("layout", [{"x": "0;}", "y": 0, "w": 1, "h": 1}, {"x": -1, "y": 0, "w": 1, "h": 1}, {"x": 0}])
def test_a_layout_that_is_no_place_writes_no_rule(layout: dict[str, Any]) -> None:
    assert "tile-1" not in dashboards.stylesheet({"tiles": {"0": {}}, "layouts": {"0": layout}})


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("now()", 0),
        ("now()-30m", 30),
        ("-2h", 120),
        (" now() - 1d ", 1440),
        ("2026-01-29T11:00Z", 60),
        ("2026-01-29", 720),
    ],
)
def test_times_of_a_timeframe_are_read(text: str, minutes: int) -> None:
    assert (NOON_US - timeframe.moment_us(text, NOON_US)) / 60_000_000 == minutes


@pytest.mark.parametrize("text", ["", "tomorrow", "now()-", "now()-1y", "5", "2026-13-01"])
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        timeframe.moment_us(text, NOON_US)


def test_markdown_makes_no_pictures_and_no_scripts() -> None:
    found = markdown.html("![x](https://example.com/x.png) <b>x</b> [y](data:text/html,x)\n\n|a|\n|-|\n|1|")

    assert "<img" not in found and "<b>" not in found and "data:" not in found.replace("(data:text/html,x)", "")
    assert "<table>" in found


def test_the_log_page_draws_series_and_keeps_its_timeframe(records: Local) -> None:
    query = "fetch logs | makeTimeseries n = count(), by: {service}, interval: 10m"

    text = records.call("GET", "/ui/apps/dynatrace.logs", params={"query": query, "from": "now()-24h"}).text

    assert "2 series" in text
    assert text.count('class="trace') == 2
    assert 'name="from" value="now()-24h"' in text
    bars = records.call("GET", "/ui/apps/dynatrace.logs", params={"query": query, "chart": "bar"}).text
    assert '<rect class="c0"' in bars
    early = records.call(
        "GET", "/ui/apps/dynatrace.logs", params={"query": "fetch logs", "from": "now()-4h", "to": "now()-2h"}
    ).text
    assert "1 record</h2>" in early and "early" in early
    wrong = records.call("GET", "/ui/apps/dynatrace.logs", params={"from": "soon"})
    assert wrong.status_code == 400 and "“soon” is not a time" in wrong.text


def test_the_highest_heading_of_a_text_is_one_of_the_page_s_parts() -> None:
    assert markdown.html("### Deep\n\n#### Deeper") == "<h2>Deep</h2>\n<h3>Deeper</h3>\n"


def test_a_record_of_this_very_moment_is_in_the_chart(local: Local) -> None:
    local.sim("POST", "clock", {"mode": "frozen", "jump": NOON})
    record = {"content": "now", "timestamp": NOON}
    assert local.call("POST", "/api/v2/logs/ingest", json=[record], headers=api_token(local, "logs.ingest")).ok
    deploy(local, data("fetch logs | makeTimeseries n = count(default: 0), interval: 10m", "barChart"))

    assert "2026-01-29 12:00:00 UTC: n 1" in drawn(local)


def test_a_variable_without_a_default_takes_everything(records: Local) -> None:
    one = [{"key": "service", "type": "csv", "multiple": True, "input": "mail, shop"}]
    deploy(
        records,
        data("fetch logs | filter in(service, array($service)) | summarize n = count()", "singleValue"),
        variables=one,
    )

    assert "<strong>6</strong>" in drawn(records)
