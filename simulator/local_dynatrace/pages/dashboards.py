"""The dashboard page: draws any dashboard document by running its tiles (facts: dynatrace-api 11)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ..documents import tables
from ..documents.tables import Document
from ..kernel.world import World
from . import charts, logs, results, timeframe, variables
from .executions import name_of
from .markdown import html
from .timeframe import Timeframe
from .variables import Variable

if TYPE_CHECKING:
    from ..grail.dql import Beginnings

PATH = "/ui/apps/dynatrace.dashboards"
COLUMNS = 24
MOST_ROWS = 1_000
CHARTS: dict[str, charts.Kind] = {"lineChart": "line", "areaChart": "area", "barChart": "bar", "bandChart": "line"}
CATEGORIES = ("categoricalBarChart", "pieChart", "donutChart")
VALUES = ("singleValue", "meterBar", "gauge")
TABLES = ("table", "raw", "recordList")
Json = dict[str, Any]


def rows(world: World) -> list[Json]:
    """Every document, dashboards first."""
    found = [
        {
            "id": each.id,
            "name": each.name,
            "type": each.type,
            "href": f"{PATH}/dashboard/{each.id}" if each.type == "dashboard" else None,
            "description": each.description or "",
            "public": not each.is_private,
            "owner": name_of(world, each.owner),
            "version": each.version,
            "modified": each.modified_us,
        }
        for each in tables.every(world)
    ]
    return sorted(found, key=lambda row: (row["type"] != "dashboard", row["name"].lower(), row["id"]))


def found(world: World, id: str) -> Document | None:
    document = tables.find(world, id)
    return document if document and document.deleted_us is None and document.type == "dashboard" else None


def content_of(document: Document) -> Json:
    """Raises ValueError if it is no JSON object."""
    content = json.loads(document.content)
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def frame_of(content: Json, query: dict[str, str], now_us: int) -> Timeframe:
    """The timeframe of the page's address, else the dashboard's own."""
    default = (content.get("settings") or {}).get("defaultTimeframe") or {}
    value = default.get("value") or {}
    if default.get("enabled") is False or not value.get("from"):
        return timeframe.of(query, now_us)
    return timeframe.of(query, now_us, default=(str(value["from"]), str(value.get("to") or timeframe.NOW)))


def placed(content: Json) -> list[tuple[str, Json, Json]]:
    """(key, tile, layout) from top to bottom and left to right; a tile without a layout comes last."""
    layouts = content.get("layouts") or {}
    tiles = [(key, tile, layouts.get(key) or {}) for key, tile in (content.get("tiles") or {}).items()]
    return sorted(
        ((key, tile, layout) for key, tile, layout in tiles if isinstance(tile, dict)),
        key=lambda each: (each[2].get("y", 10**6), each[2].get("x", 0)),
    )


def stylesheet(content: Json) -> str:
    """Where each tile is, as the page may have no inline styles."""
    settings = (content.get("settings") or {}).get("gridLayout") or {}
    columns = settings.get("columnsCount")
    columns = columns if type(columns) is int and 1 <= columns <= 100 else COLUMNS
    rules = [f"  .board {{ grid-template-columns: repeat({columns}, minmax(0, 1fr)); }}"]
    for number, (_, _, layout) in enumerate(placed(content), 1):
        sides = [layout.get(side) for side in "xywh"]
        x, y, w, h = (side if isinstance(side, int) and 0 <= side < 10_000 else -1 for side in sides)
        if min(x, y, w, h) >= 0 and w and h:
            rules.append(f"  .tile-{number} {{ grid-area: {y + 1} / {x + 1} / span {h} / span {w}; }}")
    return "@media (min-width: 60rem) {\n" + "\n".join(rules) + "\n}\n"


async def view(world: World, document: Document, query: list[tuple[str, str]]) -> Json:
    """The dashboard with the result of each tile. Raises ValueError if its content is no dashboard."""
    from ..grail.dql import encode

    content = content_of(document)
    frame = frame_of(content, dict(reversed(query)), world.clock.now_us())

    ask = Queries(world)

    async def values(text: str) -> list[str]:
        """The first field of each record."""
        first = (next(iter(row.values()), None) for row in await ask.run(text, frame))
        return list(dict.fromkeys(str(encode(value)) for value in first if value is not None))

    chosen = await variables.read(content, query, values)
    keep = [(key, value) for key, value in query if key not in ("from", "to")]
    path = f"{PATH}/dashboard/{document.id}"
    return {
        "id": document.id,
        "version": content.get("version"),
        "picker": timeframe.picker(frame, path, keep),
        "frame": frame,
        "variables": chosen,
        "all": variables.ALL,
        "tiles": [await tile(ask, entry, layout, chosen, frame) for _, entry, layout in placed(content)],
        "path": path,
    }


async def tile(ask: Queries, entry: Json, layout: Json, chosen: list[Variable], frame: Timeframe) -> Json:
    """A tile: ``show`` names what the template draws, ``note`` says what differs from Dynatrace."""
    kind = entry.get("type")
    drawn: Json = {
        "title": filled_text(str(entry.get("title") or ""), chosen),
        "show": "",
        "note": "",
        "query_href": "",
        "error": None,
    }
    if kind == "markdown":
        return {**drawn, "show": "markdown", "html": html(filled_text(str(entry.get("content") or ""), chosen))}
    if kind != "data":
        return {**drawn, "show": "refused", "note": f"Tiles of type {kind} are not part of the local environment."}
    frame = own_frame(entry, frame, ask.world.clock.now_us())
    text = variables.filled(str(entry.get("query") or ""), chosen)
    drawn["query_href"] = f"{logs.PATH}?{urlencode({'query': text, **frame.query})}"
    try:
        rows = await ask.run(text, frame)
    except QueryError as error:
        return {**drawn, "show": "error", "error": error.located}
    return {**drawn, **picture(entry, layout, rows)}


def picture(entry: Json, layout: Json, rows: list[Json]) -> Json:
    """What a data tile shows of its records."""
    name = str(entry.get("visualization") or "table")
    settings = entry.get("visualizationSettings") or {}
    if not rows:
        return {"show": "empty"}
    if name in VALUES:
        return single(settings, rows)
    if name in CHARTS:
        if not results.is_series(rows):
            return {"show": "table", **results.table(rows), "note": f"{name} needs makeTimeseries: shown as a table."}
        width = layout.get("w")
        most = max(3, min(7, width * 7 // 12)) if isinstance(width, int) else 7
        return {"show": "chart", "chart": results.over_time(rows, CHARTS[name], units(settings), most)}
    if name in CATEGORIES:
        bars = results.by_category(rows)
        note = "" if name == CATEGORIES[0] else f"{name} is drawn as bars here."
        if bars:
            return {"show": "bars", **bars, "note": note}
        return {"show": "table", **results.table(rows), "note": f"{name} needs a number: shown as a table."}
    note = "" if name in TABLES else f"{name} is not drawn here: shown as a table."
    return {"show": "table", **results.table(rows), "note": note}


def single(settings: Json, rows: list[Json]) -> Json:
    asked = settings.get("singleValue") or {}
    value = results.single(rows, asked.get("recordField"))
    label = str(asked.get("label") or "") if asked.get("showLabel", True) else ""
    unit = units(settings).get(str(asked.get("recordField")), "")
    return {"show": "single", "value": results.shown(value), "label": label, "unit": unit}


def units(settings: Json) -> dict[str, str]:
    """Field -> unit, from ``unitsOverrides``."""
    return {
        str(each.get("identifier")): str(each.get("suffix") or each.get("displayUnit") or each.get("baseUnit") or "")
        for each in settings.get("unitsOverrides") or []
        if isinstance(each, dict)
    }


def own_frame(entry: Json, frame: Timeframe, now_us: int) -> Timeframe:
    own = entry.get("timeframe") or {}
    if not own.get("tileTimeframeEnabled") or not isinstance(own.get("tileTimeframe"), dict):
        return frame
    return timeframe.of(own["tileTimeframe"], now_us)


def filled_text(text: str, chosen: list[Variable]) -> str:
    """Markdown with the chosen values in place of ``$key``."""
    known = {variable.key: ", ".join(variable.chosen) for variable in chosen}
    return re.sub(r"\$(\w+)", lambda match: known.get(match[1], match[0]), text)


class QueryError(ValueError):
    """A query that cannot be run."""

    def __init__(self, located: Json) -> None:
        super().__init__(located["message"])
        self.located = located


class Queries:
    """The queries of one view of a dashboard. Most begin alike: what they begin with is read once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.beginnings: Beginnings = {}

    async def run(self, text: str, frame: Timeframe) -> list[Json]:
        """The records of a query. Raises QueryError."""
        from ..grail import dql, queries

        try:
            prepared = queries.prepare(self.world, queries.Request(text, frame.from_us, frame.until_us))
        except dql.DqlError as error:
            raise QueryError(logs.located(text, error)) from None
        found = await queries.answer(self.world.store, prepared, MOST_ROWS, self.beginnings)
        return found.rows
