"""The log page: a DQL query, its records, and their severities over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..kernel.world import World
from . import histogram
from .render import as_datetime

if TYPE_CHECKING:
    from ..grail.dql import DqlError

DEFAULT_QUERY = 'fetch logs\n| filter log.source == "sectigo-scm"\n| sort timestamp desc\n| limit 100'
"""The query of the manual's last step."""
MAX_RECORDS = 1000
SUMMARY = ("timestamp", "content", "loglevel", "status")


def view(world: World, query: str) -> dict[str, Any]:
    from ..grail import dql  # brings the grammar along: not before somebody queries

    try:
        result = dql.execute(world, query, max_records=MAX_RECORDS)
    except dql.DqlError as error:
        return {
            "query": query,
            "error": located(query, error),
            "records": [],
            "columns": [],
            "table": [],
            "chart": None,
        }
    records = result.records
    logs = [record for record in records if "content" in record and "timestamp" in record]
    shown = [log_record(record) for record in logs] if len(logs) == len(records) else []
    columns = [] if shown else list(dict.fromkeys(name for record in records for name in record))
    return {
        "query": query,
        "error": None,
        "records": shown,
        "columns": columns,
        "table": [[text(record.get(column)) for column in columns] for record in records] if columns else [],
        "chart": histogram.chart([(at_us(record["timestamp"]), str(record.get("status"))) for record in logs]),
    }


def log_record(record: dict[str, Any]) -> dict[str, Any]:
    details = [(name, text(value)) for name, value in sorted(record.items()) if value is not None]
    return {
        "timestamp": str(record["timestamp"]),
        "level": str(record.get("loglevel") or "NONE"),
        "status": str(record.get("status") or "NONE"),
        "content": text(record["content"]),
        "details": details,
    }


def at_us(timestamp: Any) -> int:
    found = as_datetime(str(timestamp))
    return round(found.timestamp() * 1_000_000) if found else 0


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def located(query: str, error: DqlError) -> dict[str, Any]:
    """The error with the line it is in and a mark under the place."""
    position = error.position
    if position is None:
        return {"message": str(error), "where": "", "line": None}
    before = query[:position]
    line = before.count("\n")
    column = position - (before.rfind("\n") + 1)
    return {
        "message": str(error),
        "where": f"{query.split(chr(10))[line]}\n{' ' * column}^",
        "line": f"line {line + 1}, column {column + 1}",
    }
