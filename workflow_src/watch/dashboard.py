"""``dashboard.yaml`` into the content of a Dynatrace dashboard (facts: dynatrace-api 11), and differences in words."""

from __future__ import annotations

import json
import re
from typing import Any

from .words import condition, groups, known, source

VERSION = 21
COLUMNS = 24
ALL = "3420b2ac-f1cf-4b24-b62d-61ba1ba8ed05*"
"""What a variable is set to for "all values"."""
QUERY_SETTINGS = {
    "maxResultRecords": 1000,
    "defaultScanLimitGbytes": 500,
    "maxResultMegaBytes": 1,
    "defaultSamplingRatio": 10,
    "enableSampling": False,
}
WORKFLOW = "[[workflow]]"
"""Stands for the ID of the connector's workflow, which is known only after that has been created."""

Json = dict[str, Any]


def content() -> Json:
    """The dashboard's content, with ``WORKFLOW`` in place of the workflow's ID."""
    described = source("dashboard")
    texts = {**described["beginnings"], "known": known(), **{group: condition(group) for group in groups()}}
    tiles: Json = {}
    layouts: Json = {}
    y = 0
    for row in described["rows"]:
        x = 0
        for tile in row["tiles"]:
            key = str(len(tiles))
            tiles[key] = made_tile(tile, texts)
            layouts[key] = {"x": x, "y": y, "w": tile["w"], "h": row["h"]}
            x += tile["w"]
        y += row["h"]
    return {
        "version": VERSION,
        "variables": [made_variable(each) for each in described["variables"]],
        "tiles": tiles,
        "layouts": layouts,
        "settings": {
            "gridLayout": {"mode": "responsive", "columnsCount": COLUMNS},
            "defaultTimeframe": {"enabled": True, "value": {"from": "now()-24h", "to": "now()"}},
        },
        "annotations": [],
    }


def made_tile(tile: Json, texts: Json) -> Json:
    if "markdown" in tile:
        return {"type": "markdown", "content": tile["markdown"]}
    look: Json = {"autoSelectVisualization": False}
    if "value" in tile:
        look["singleValue"] = {"label": tile["value"], "recordField": tile["field"], "showLabel": True}
    return {
        "type": "data",
        "title": tile["title"],
        "query": re.sub(r"\[\[(\w+)\]\]", lambda found: texts[found[1]], tile["query"]),
        "visualization": tile["chart"],
        "visualizationSettings": look,
        "querySettings": dict(QUERY_SETTINGS),
        "davis": {"enabled": False, "davisVisualization": {"isAvailable": True}},
    }


def made_variable(variable: Json) -> Json:
    common = {"version": 2, "key": variable["key"], "visible": True, "editable": True}
    if "text" in variable:
        return {**common, "type": "text", "input": "", "multiple": False, "defaultValue": variable["text"]}
    kind, choices = ("query", variable["query"]) if "query" in variable else ("csv", variable["values"])
    return {**common, "type": kind, "input": choices, "multiple": True, "defaultValue": [ALL]}


def rendered(template: Json, workflow: str) -> Json:
    """The content for one connector: its workflow's ID in the queries."""
    content: Json = json.loads(json.dumps(template).replace(WORKFLOW, workflow))
    return content


def unrendered(content: Json, workflow: str) -> Json:
    """The reverse of ``rendered``."""
    template: Json = json.loads(json.dumps(content).replace(workflow, WORKFLOW))
    return template


# --- differences -----------------------------------------------------------------------------------------------------


def changes(before: Json, after: Json) -> list[str]:
    """What ``after`` changes in ``before``, tile by tile, in words. A tile is known by its title or its first words."""
    old, new = named_tiles(before), named_tiles(after)
    said = [f"tile {name} was removed" for name in old if name not in new]
    said += [f"tile {name} was added" for name in new if name not in old]
    for name in (name for name in old if name in new):
        if different := sorted(key for key in {*old[name], *new[name]} if old[name].get(key) != new[name].get(key)):
            said.append(f"tile {name}: other {' and '.join(different)}")
    said += [f"{text} changed" for text in changed_variables(before, after)]
    rest = {*before, *after} - {"tiles", "layouts", "variables"}
    return said + [f"{key} changed" for key in sorted(rest) if before.get(key) != after.get(key)]


def named_tiles(content: Json) -> dict[str, Json]:
    """Each tile with its place, by its name in quotes; a name that occurs again gets a number."""
    found: dict[str, Json] = {}
    layouts = content.get("layouts") or {}
    for key, tile in (content.get("tiles") or {}).items():
        words = str(tile.get("title") or tile.get("content") or tile.get("type") or "").split()
        name = label = f"“{' '.join(words[:8])}”"
        number = 1
        while name in found:
            number += 1
            name = f"{label} ({number})"
        found[name] = {**tile, "place": layouts.get(key)}
    return found


def changed_variables(before: Json, after: Json) -> list[str]:
    old, new = ({one.get("key"): one for one in content.get("variables") or []} for content in (before, after))
    return [f"variable {key}" for key in {**old, **new} if old.get(key) != new.get(key)]
