"""The sources of dashboard, detectors and notification: only documented keys, nothing that overlaps."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from providers.configuration import DETECTIONS, LONGEST_DETECTED_INTERVAL
from workflow_src.watch.dashboard import ALL, COLUMNS, changes, content, rendered, unrendered
from workflow_src.watch.detectors import (
    LONGEST_WINDOW,
    detection_names,
    own_detectors,
    record_detectors,
    silence_fits,
)
from workflow_src.watch.notification import definition, email_task, event_name, slack_task
from workflow_src.watch.words import groups

CONTENT = content()
TILES: dict[str, dict[str, Any]] = CONTENT["tiles"]
DATA = {"type", "title", "query", "visualization", "visualizationSettings", "querySettings", "davis"}
SERIES = {"lineChart", "areaChart", "barChart", "bandChart"}
OF_RECORDS = {"categoricalBarChart", "singleValue", "table"}
WORKFLOW = "11111111-2222-4333-8444-555555555555"


# facts: dynatrace-api 11 lists what a dashboard may hold


def test_the_dashboard_has_only_documented_keys() -> None:
    assert CONTENT.keys() == {"version", "variables", "tiles", "layouts", "settings", "annotations"}
    assert CONTENT["version"] == 21
    assert CONTENT["settings"]["gridLayout"] == {"mode": "responsive", "columnsCount": 24}
    for tile in TILES.values():
        assert tile.keys() == ({"type", "content"} if tile["type"] == "markdown" else DATA)
    for variable in CONTENT["variables"]:
        assert variable.keys() == {
            "version", "key", "type", "visible", "editable", "input", "multiple", "defaultValue",
        }  # fmt: skip
        assert variable["defaultValue"] == ([ALL] if variable["multiple"] else "")


def test_every_tile_has_a_place_of_its_own_within_the_grid() -> None:
    assert CONTENT["layouts"].keys() == TILES.keys()
    places = list(CONTENT["layouts"].values())
    for place in places:
        assert place.keys() == {"x", "y", "w", "h"}
        assert min(place["w"], place["h"]) > 0
        assert place["x"] >= 0 and place["x"] + place["w"] <= COLUMNS
    for one, other in itertools.combinations(places, 2):
        apart = [one[at] + one[size] <= other[at] or other[at] + other[size] <= one[at] for at, size in ("xw", "yh")]
        assert any(apart), f"{one} overlaps {other}"


@pytest.mark.parametrize("tile", [tile for tile in TILES.values() if tile["type"] == "data"], ids=lambda t: t["title"])
def test_a_tile_fits_its_visualization(tile: dict[str, Any]) -> None:
    query, chart = tile["query"], tile["visualization"]
    assert chart in SERIES | OF_RECORDS
    assert ("makeTimeseries" in query) == (chart in SERIES), "records and series are drawn by different charts"
    assert not re.search(r"\b(from|to|timeframe):", query), "the dashboard's time frame applies"
    assert "[[" not in query.replace("[[workflow]]", "")
    if chart == "singleValue":
        shown = tile["visualizationSettings"]["singleValue"]["recordField"]
        assert f"{shown} = " in query.splitlines()[-1] or f"{shown} = " in query


def test_every_variable_is_used_and_known() -> None:
    used = {name for tile in TILES.values() for name in re.findall(r"\$(\w+)", tile.get("query", ""))}
    assert used == {variable["key"] for variable in CONTENT["variables"]}


def test_the_workflows_id_goes_in_and_comes_out() -> None:
    filled = rendered(CONTENT, WORKFLOW)
    assert WORKFLOW in str(filled) and "[[" not in str(filled)
    assert unrendered(filled, WORKFLOW) == CONTENT


def test_changes_are_told_tile_by_tile() -> None:
    after = content()
    del after["tiles"]["2"]
    after["tiles"]["1"]["query"] = "fetch logs"
    after["layouts"]["3"]["x"] = 20
    after["tiles"]["99"] = {"type": "markdown", "content": "Our  own words"}
    after["variables"][0]["visible"] = False
    after["settings"] = {}

    assert changes(CONTENT, CONTENT) == []
    assert changes(CONTENT, after) == [
        "tile “Failed” was removed",
        "tile “Our own words” was added",
        "tile “Records”: other query",
        "tile “Actors”: other place",
        "variable customer changed",
        "settings changed",
    ]


def test_tiles_of_one_title_are_told_apart() -> None:
    twins: dict[str, Any] = {"tiles": {"0": {"title": "A", "query": "1"}, "1": {"title": "A", "query": "2"}}}
    changed: dict[str, Any] = {"tiles": {"0": {"title": "A", "query": "1"}, "1": {"title": "A", "query": "3"}}}

    assert changes(twins, changed) == ["tile “A” (2): other query"]


def test_the_words_are_in_lower_case_and_every_group_has_a_source() -> None:
    for group in groups().values():
        assert group["mark"] in ("V", "D")
        assert all(word == word.lower() for word in (*group["actions"], *group.get("objects", ())))


# facts: alerting 2 has the rules of an analyzer's query


def every_detector(interval: int = 10) -> list[Any]:
    return [*own_detectors(interval), *record_detectors(dict.fromkeys(DETECTIONS, 10), interval)]


def test_the_detections_of_the_config_are_those_of_the_sources() -> None:
    assert list(DETECTIONS) == detection_names()


@pytest.mark.parametrize("detector", every_detector(), ids=lambda detector: detector.key)
def test_a_detectors_query_is_one_series_by_the_minute(detector: Any) -> None:
    assert detector.query.count("makeTimeseries") == 1
    assert "interval: 1m" in detector.query
    assert "default: 0" in detector.query
    assert not re.search(r"\b(from|to):|\|\s*(sort|limit)\b", detector.query)
    assert detector.condition in ("ABOVE", "BELOW")


@pytest.mark.parametrize("interval", [1, 2, 10, 20, 21, 59, 60, 720])
def test_windows_are_within_the_limits(interval: int) -> None:
    for detector in every_detector(interval):
        samples = detector.samples
        assert 1 <= samples["violating"] <= samples["window"] <= LONGEST_WINDOW
        assert 1 <= samples["dealerting"] <= samples["window"]
    assert ("silent" in [detector.key for detector in own_detectors(interval)]) == silence_fits(interval)


def test_a_detection_looks_back_as_far_as_records_are_late() -> None:
    def windows(interval: int) -> list[int]:
        return [one.samples["window"] for one in record_detectors({"apiKeys": 1, "revocations": 10}, interval)]

    assert windows(10) == [33, 19]
    assert windows(LONGEST_DETECTED_INTERVAL - 1)[0] < LONGEST_WINDOW == windows(LONGEST_DETECTED_INTERVAL)[0]
    assert windows(720) == [LONGEST_WINDOW] * 2


def test_a_threshold_of_one_means_each_record() -> None:
    (each,) = record_detectors({"apiKeys": 1}, 10)
    (many,) = record_detectors({"revocations": 10}, 10)

    assert (each.threshold, "arrayMovingSum" in each.query) == (0, False)
    assert (many.threshold, "arrayMovingSum(records, 15)" in many.query) == (9, True)


@pytest.mark.parametrize("task", [email_task(["a@b.example"]), slack_task("ID", "#pki")], ids=["email", "slack"])
def test_the_notification_is_a_simple_workflow_for_our_problems_alone(task: dict[str, Any]) -> None:
    made = definition('My "own" SCM', task)

    assert made["type"] == "SIMPLE"
    assert len(made["tasks"]) == 1
    value = made["trigger"]["eventTrigger"]["triggerConfiguration"]["value"]
    assert value["customFilter"] == r'matchesValue(event.name, "My \"own\" SCM: *")'
    assert event_name('My "own" SCM', "Runs fail") == 'My "own" SCM: Runs fail'
