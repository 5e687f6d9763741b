"""The log page: a DQL query, its records, and their severities over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..kernel import rfc3339
from ..kernel.world import World
from . import histogram

if TYPE_CHECKING:
    from ..grail.dql import DqlError


EVERYTHING = "fetch logs\n| sort timestamp desc\n| limit 100"
MAX_RECORDS = 1000


def first_query(world: World) -> str:
    """What the page shows before anybody has typed a query."""
    return next((plugin.pages.log_query for plugin in world.plugins if plugin.pages.log_query), EVERYTHING)


async def view(world: World, query: str) -> dict[str, Any]:
    """The query, and either its error or its records: as log lines, or as a table where they are none."""
    from ..grail import dql, queries  # brings the grammar along: not before somebody queries

    shown: dict[str, Any] = {
        "query": query, "error": None, "records": [], "columns": [], "table": [], "chart": None, "truncated": False,
    }  # fmt: skip
    try:
        prepared = queries.prepare(world, queries.Request(query))
    except dql.DqlError as error:
        return {**shown, "error": located(query, error)}
    found = await queries.answer(world.store, prepared, MAX_RECORDS)
    rows: list[dict[str, Any]] = [dql.encode(row) for row in found.rows]
    shown["truncated"] = found.truncated
    if all("content" in row and isinstance(row.get("timestamp"), str) for row in rows):
        times = [(rfc3339.parse_ns(row["timestamp"]) // 1000, str(row.get("status"))) for row in rows]
        return {**shown, "records": [log_record(row) for row in rows], "chart": histogram.chart(times)}
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = [[text(row.get(column)) for column in columns] for row in rows]
    return {**shown, "columns": columns, "table": table}


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
