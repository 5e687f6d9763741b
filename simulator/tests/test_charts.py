"""Charts: round ticks, every value in its place, nothing outside of the plot."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_dynatrace.pages import axes, charts, histogram
from local_dynatrace.pages.charts import Series

NOON = 1_764_331_200_000_000
"""2025-11-28T12:00:00Z in microseconds."""
MINUTE = 60_000_000


def chart(kind: charts.Kind, *series: Series, **more: Any) -> dict[str, Any]:
    made = charts.chart(series, NOON, MINUTE, kind, **more)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("lowest", "highest", "whole", "expected"),
    [
        (0, 0, True, [0, 1]),
        (0, 1, True, [0, 1]),
        (0, 7, True, [0, 2, 4, 6, 8]),
        (0, 100, True, [0, 25, 50, 75, 100]),
        (0, 0.35, False, [0, 0.1, 0.2, 0.3, 0.4]),
        (-5, 10, True, [-5, 0, 5, 10]),
        (3, 9, True, [0, 2.5, 5, 7.5, 10]),
        (0, 1_234_567, True, [0, 500_000, 1_000_000, 1_500_000]),
    ],
)
def test_values_have_round_ticks(lowest: float, highest: float, whole: bool, expected: list[float]) -> None:
    found = axes.values(lowest, highest, whole=whole)

    if whole and any(tick != int(tick) for tick in expected):
        expected = [0, 3, 6, 9]
    assert found == expected


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.booleans())
def test_ticks_enclose_the_values_and_are_few(one: float, other: float, whole: bool) -> None:
    low, high = sorted((one, other))
    ticks = axes.values(low, high, whole=whole)

    little = (ticks[-1] - ticks[0]) * 1e-8
    assert ticks[0] - little <= min(0, low) and max(0, high) <= ticks[-1] + little
    assert 2 <= len(ticks) <= 8
    assert 0 in ticks


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (1, ["12:00:00", "12:00:10", "12:00:20", "12:00:30", "12:00:40", "12:00:50", "12:01"]),
        (120, ["12:00", "12:30", "13:00", "13:30", "14:00"]),
        (24 * 60, ["12:00", "18:00", "29 Nov", "06:00", "12:00"]),
        (7 * 24 * 60, ["29 Nov", "30 Nov", "1 Dec", "2 Dec", "3 Dec", "4 Dec", "5 Dec"]),
    ],
)
def test_times_have_round_ticks_and_midnight_has_its_date(minutes: int, expected: list[str]) -> None:
    found = [text for _, text in axes.times(NOON, NOON + minutes * MINUTE)]

    assert [text.replace(":00", ":00") for text in found] == [t if t != "12:01" else "12:01:00" for t in expected]


@given(st.integers(-(10**15), 10**16), st.integers(1, 10**14), st.integers(2, 7))
def test_a_span_has_few_ticks_within_it(start: int, span: int, most: int) -> None:
    found = [at for at, _ in axes.times(start, start + span, most)]

    assert len(found) <= most + 1
    assert all(start <= at <= start + span for at in found)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (20, "20"), (1500, "1.5k"), (2_000_000, "2M"), (-3000, "-3k")]
)
def test_ticks_are_short(value: float, text: str) -> None:
    assert axes.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(90, (1, "s")), (180, (60, "min")), (8000, (3600, "h")), (0.02, (1e-3, "ms")), (0, (1e-6, "µs"))],
)
def test_durations_are_drawn_in_a_unit_that_is_easy_to_read(seconds: float, expected: tuple[float, str]) -> None:
    assert axes.duration_unit(seconds) == expected


def test_bars_stand_on_each_other_and_say_their_values() -> None:
    made = chart("bar", Series("failed", [1, None, None]), Series("other", [3, 2, None]))

    assert [tick["text"] for tick in made["y"]] == ["0", "1", "2", "3", "4"]
    first = [shape for shape in made["shapes"] if shape["x"] < 1000 / 3]
    assert [(shape["colour"], shape["y"], shape["height"]) for shape in first] == [("bad", 750, 250), ("c0", 0, 750)]
    assert len(made["shapes"]) == 3
    assert [strip["title"] for strip in made["strips"]] == [
        "2025-11-28 12:00:00 UTC: failed 1, other 3", "2025-11-28 12:01:00 UTC: other 2",
    ]  # fmt: skip


def test_a_line_has_a_gap_where_a_value_is_missing_and_a_dot_for_one_alone() -> None:
    (shape,) = chart("line", Series("lag", [1, 2, None, 4]))["shapes"]

    assert shape["path"].count("M") == 2
    alone = shape["path"].rpartition("M")[2].split(" L")
    assert alone[0] == alone[1]
    assert shape["area"] == ""


def test_an_area_reaches_down_to_zero_even_below_it() -> None:
    made = chart("area", Series("change", [-1, 3]))
    base = next(tick["at"] * 10 for tick in made["y"] if tick["base"])

    path = made["shapes"][0]["area"]
    assert [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", path)][::3] == pytest.approx([base, base])


@given(
    st.lists(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1, max_size=8), min_size=1, max_size=20),
    st.sampled_from(["line", "area", "bar"]),
)
def test_no_shape_leaves_the_plot(values: list[list[float | None]], kind: charts.Kind) -> None:
    made = charts.chart([Series(f"s{n}", each) for n, each in enumerate(values)], NOON, MINUTE, kind)
    assert made is not None

    for shape in made["shapes"]:
        if kind == "bar":
            points = [(shape["x"], shape["y"]), (shape["x"] + shape["width"], shape["y"] + shape["height"])]
        else:
            pairs = re.findall(r"(-?[\d.e-]+) (-?[\d.e-]+)", shape["path"])
            points = [(float(x), float(y)) for x, y in pairs]
        assert all(-0.1 <= x <= 1000.1 and -0.1 <= y <= 1000.1 for x, y in points)
    assert len(made["key"]) + made["more"] == len(values)


def test_of_many_series_the_largest_are_drawn() -> None:
    made = chart("line", *(Series(f"s{n}", [n]) for n in range(20)))

    assert made["more"] == 8
    assert made["key"][0][0] == "s19"


def test_nothing_gives_no_chart() -> None:
    assert charts.chart([], NOON, MINUTE, "line") is None
    assert charts.chart([Series("empty", [])], NOON, MINUTE, "bar") is None


def test_a_chart_says_in_words_what_it_shows() -> None:
    made = chart("line", Series("lag", [1, 12.5]), unit="min")

    assert made["label"] == "lag from 2025-11-28 12:00:00 to 2025-11-28 12:02:00 UTC; highest value 12.5 min"
    assert made["unit"] == "min"


def test_a_histogram_counts_every_record_once() -> None:
    second = 1_000_000
    records = [(at * second, status) for at, status in ((0, "INFO"), (1, "INFO"), (61, "ERROR"), (7200, "weird"))]

    made = histogram.chart(records)

    assert made is not None
    assert made["key"] == [("Error", "bad", "1"), ("Info", "calm", "2"), ("None", "faint", "1")]
    assert len(made["shapes"]) == 3
    assert made["unit"] == "records per 2 minutes"
    assert histogram.chart([]) is None


@pytest.mark.parametrize("span", [0, 1, 59, 61, 7199, 86_399, 31 * 86_400, 400 * 86_400])
def test_a_histogram_has_a_readable_number_of_bars(span: int) -> None:
    made = histogram.chart([(0, "INFO"), (span * 1_000_000, "INFO")])

    assert made is not None
    assert 1000 / made["shapes"][0]["width"] * (1 - charts.GAP) <= histogram.BARS + 2
    assert made["x"]
