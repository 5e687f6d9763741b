"""The log page: a DQL query, its records, and their severities over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ..kernel import rfc3339
from ..kernel.world import World
from . import charts, histogram, results, timeframe
from .timeframe import Timeframe

if TYPE_CHECKING:
    from ..grail.dql import DqlError


EVERYTHING = "fetch logs\n| sort timestamp desc\n| limit 100"
MAX_RECORDS = 1000
PAGE = 30
"""Records that a page shows at first, and adds."""
PATH = "/ui/apps/dynatrace.logs"
PICTURES: dict[str, charts.Kind] = {"line": "line", "area": "area", "bar": "bar"}
"""How series can be drawn."""


def first_query(world: World) -> str:
    """What the page shows before anybody has typed a query."""
    return next((plugin.pages.log_query for plugin in world.plugins if plugin.pages.log_query), EVERYTHING)


async def view(world: World, query: str, frame: Timeframe, picture: str = "", show: str = "") -> dict[str, Any]:
    """The query, and either its error or its records: as log lines, as a chart if they are series, else as a table.

    A timeframe that the query itself names (``from:``) comes before that of the page.
    """
    from ..grail import dql, queries  # brings the grammar along: not before somebody queries

    shown: dict[str, Any] = {
        "query": query, "error": None, "records": [], "table": None, "chart": None, "pictures": [], "truncated": False,
        "count": 0, "more": "", "frame": frame, "picker": timeframe.picker(frame, PATH, [("query", query)]),
    }  # fmt: skip
    try:
        prepared = queries.prepare(world, queries.Request(query, frame.from_us, frame.until_us))
    except dql.DqlError as error:
        return {**shown, "error": located(query, error)}
    found = await queries.answer(world.store, prepared, MAX_RECORDS)
    shown |= {"truncated": found.truncated, "count": len(found.rows)}
    if results.is_series(found.rows):
        chosen = picture if picture in PICTURES else "line"
        address = {"query": query, **frame.query}
        return {
            **shown,
            "chart": results.over_time(found.rows, PICTURES[chosen]),
            "pictures": [
                (name, f"{PATH}?{urlencode({**address, 'chart': name})}", name == chosen) for name in PICTURES
            ],
            "table": results.table(found.rows),
        }
    rows: list[dict[str, Any]] = [dql.encode(row) for row in found.rows]
    if all("content" in row and isinstance(row.get("timestamp"), str) for row in rows):
        times = [(rfc3339.parse_ns(row["timestamp"]) // 1000, str(row.get("status"))) for row in rows]
        most = int(show[:4]) if show.isascii() and show.isdigit() else PAGE
        address = {"query": query, **frame.query, "show": str(most + PAGE)}
        more = f"{PATH}?{urlencode(address)}#record-{most}" if len(rows) > most else ""
        records = [log_record(row) for row in rows[:most]]
        return {**shown, "records": records, "more": more, "chart": histogram.chart(times)}
    return {**shown, "table": results.table(found.rows)}


def log_record(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "timestamp": row["timestamp"],
        "level": str(row.get("loglevel") or "NONE"),
        "status": str(row.get("status") or "NONE"),
        "content": text(row["content"]),
        "details": [(name, text(value)) for name, value in sorted(row.items()) if value is not None],
    }


def text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def located(query: str, error: DqlError) -> dict[str, Any]:
    """The error with the line it is in and a mark under the place."""
    if error.position is None:
        return {"message": error.message, "where": "", "line": None}
    start = min(error.position.start, len(query))
    line_start = query.rfind("\n", 0, start) + 1
    line = query[line_start:].partition("\n")[0]
    mark = "^" * max(1, min(error.position.end, line_start + len(line)) - start)
    return {
        "message": error.message,
        "where": f"{line}\n{' ' * (start - line_start)}{mark}",
        "line": f"line {query.count(chr(10), 0, start) + 1}, column {start - line_start + 1}",
    }
