"""Commands that begin a query: ``fetch`` and ``data``."""

from __future__ import annotations

import fnmatch
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from ...kernel.data_objects import DataObject
from .errors import DqlError, Span, unknown
from .expressions import constant, evaluator, plain
from .logs import LogSource
from .pipeline import Pipeline
from .syntax import Braces, Call, Constant, Expr, Field, Item
from .time_functions import to_timestamp
from .values import Duration, Row, Timeframe, Timestamp, Value, kind, moment

FETCH_PARAMETERS = ("from", "to", "timeframe", "samplingRatio", "scanLimitGBytes", "bucket")
ELSEWHERE = {
    "events", "bizevents", "spans", "metrics", "security.events", "dt.system.events", "dt.system.buckets",
    "dt.system.data_objects", "user.events", "user.sessions", "application.snapshots", "dt.entity.host",
}  # fmt: skip
BUCKET = "default_logs"
LOGS_PERMISSION = "storage:logs:read"


def fetch(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    if not items or not isinstance(items[0].value, Field) or items[0].parameter or items[0].alias or items[0].order:
        raise DqlError("fetch needs the name of a data object first: fetch logs.", span, "MISSING_DATA_OBJECT")
    source = items[0].value
    known = ["logs", *pipeline.data_objects]
    if source.name not in known:
        if source.name in ELSEWHERE or source.name.startswith("dt."):
            raise DqlError(
                f"The data object {source.name} is not part of the local environment, which holds "
                f"{', '.join(sorted(known))}.",
                source.span,
                "UNSUPPORTED_DATA_OBJECT",
                (source.name,),
            )
        raise unknown("data_object", source.name, known, source.span)
    given: dict[str, Item] = {}
    for item in items[1:]:
        if not item.parameter:
            raise DqlError(f"fetch takes parameters: {', '.join(FETCH_PARAMETERS)}.", item.span, "UNEXPECTED_ITEM")
        if item.parameter not in FETCH_PARAMETERS:
            raise unknown("parameter of fetch", item.parameter, FETCH_PARAMETERS, item.span)
        if item.parameter in given:
            raise DqlError(f"{item.parameter} is given twice.", item.span, "DUPLICATE_PARAMETER")
        given[item.parameter] = item
    low, high = _timeframe(given, pipeline)
    if low > high:
        where = (given.get("from") or given.get("timeframe") or items[0]).span
        raise DqlError("The timeframe ends before it starts.", where, "INVALID_TIMEFRAME")
    pipeline.analysis = (low, high)
    # Without an end, a query includes records of this exact moment: the clock may be frozen.
    ends_now = high == pipeline.now_ns and "to" not in given and "timeframe" not in given
    high = high + 1000 if ends_now else high
    if source.name == "logs":
        pipeline.permissions.add(LOGS_PERMISSION)
        pipeline.logs = LogSource(pipeline.now_ns // 1000, low, high, bucket=BUCKET if pipeline.buckets else None)
        pipeline.source = pipeline.logs.rows
        pipeline.narrowing = True
    else:
        table = pipeline.data_objects[source.name]
        pipeline.permissions.add(table.permission)
        pipeline.source = lambda db: _records(table, db, low, high)
    _check_scan_options(given, pipeline)
    if "bucket" in given and not _has_bucket(given["bucket"].value, pipeline):
        pipeline.source = lambda _: iter(())


def _records(table: DataObject, db: sqlite3.Connection, from_ns: int, to_ns: int) -> Iterator[Row]:
    """The records of a data object in a timeframe, oldest first."""
    # Bounds are nanoseconds, tables have microseconds: from is inclusive, to exclusive.
    found = table.read(db, -(-from_ns // 1000), -(-to_ns // 1000))
    for record in sorted(found, key=lambda record: int(record["timestamp"])):
        yield {name: _value(table, name, value) for name, value in record.items() if value is not None}


def _value(table: DataObject, name: str, value: Any) -> Value:
    if name in table.times and isinstance(value, int):
        return Timestamp(value * 1000)
    return Duration(value * 1000) if name in table.durations and isinstance(value, int) else value


def _timeframe(given: dict[str, Item], pipeline: Pipeline) -> tuple[int, int]:
    low, high = pipeline.default_from_ns, pipeline.default_to_ns
    if "timeframe" in given:
        item = given["timeframe"]
        if "from" in given or "to" in given:
            raise DqlError("timeframe goes without from and to.", item.span, "CONFLICTING_PARAMETERS")
        value = constant(item.value, pipeline.scope(), "timeframe")
        if isinstance(value, str) and value.count("/") == 1:
            ends = [to_timestamp(part) for part in value.split("/")]
            value = Timeframe(ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None
        if not isinstance(value, Timeframe):
            raise DqlError('timeframe is written "start/end" in RFC 3339.', item.span, "INVALID_TIMEFRAME")
        return int(value.start), int(value.end)
    if "from" in given:
        low = _moment(given["from"], pipeline)
        if "to" not in given:
            high = max(pipeline.default_to_ns, pipeline.now_ns)
    if "to" in given:
        high = _moment(given["to"], pipeline)
        if "from" not in given:
            low = min(low, high - 2 * 3_600_000_000_000)
    return low, high


def _moment(item: Item, pipeline: Pipeline) -> int:
    """A timestamp, text, nanoseconds, or a duration as an offset from now (docs: fetch)."""
    value = constant(item.value, pipeline.scope(), str(item.parameter))
    if type(value) is Duration:
        at = moment(pipeline.now_ns + int(value))
    else:
        at = value if type(value) is Timestamp else to_timestamp(value) if type(value) in (str, int) else None
    if at is None:
        raise DqlError(
            f"{item.parameter} is not a point in time: give a duration (-2h), a timestamp (now()-1d) or RFC 3339 text.",
            item.span,
            "INVALID_TIMEFRAME",
        )
    return int(at)


def _check_scan_options(given: dict[str, Item], pipeline: Pipeline) -> None:
    """Everything is always scanned whole here; values that would mean otherwise are refused."""
    if "samplingRatio" in given:
        item = given["samplingRatio"]
        ratio = constant(item.value, pipeline.scope(), "samplingRatio")
        if ratio not in (1, 1.0):
            raise DqlError(
                "Sampling is not part of the local environment: samplingRatio must be 1.",
                item.span,
                "UNSUPPORTED_SAMPLING",
            )
    if "scanLimitGBytes" in given:
        item = given["scanLimitGBytes"]
        limit = constant(item.value, pipeline.scope(), "scanLimitGBytes")
        if type(limit) is not int or (limit != -1 and limit < 1):
            raise DqlError("scanLimitGBytes is a number from 1, or -1 for no limit.", item.span, "INVALID_PARAMETER")


def _has_bucket(node: Expr, pipeline: Pipeline) -> bool:
    value = constant(node, pipeline.scope(), "bucket")
    names: list[Value] = value if isinstance(value, list) else [value]
    return any(isinstance(name, str) and fnmatch.fnmatchcase(BUCKET, name) for name in names)


def data(items: tuple[Item, ...], pipeline: Pipeline, span: Span) -> None:
    """``data record(a = 1), record(a = 2)`` or ``data json: "[...]"``."""
    records: list[Row] = []
    for item in items:
        if item.parameter == "json":
            records += _from_json(constant(item.value, pipeline.scope(), "json"), item.span)
            continue
        if item.parameter:
            raise unknown("parameter of data", item.parameter, ["json"], item.span)
        node = plain(item, "data")
        if (
            not isinstance(node, Call | Braces | Constant)
            or kind(value := evaluator(node, pipeline.scope())({})) != "record"
        ):
            raise DqlError("data takes records: data record(a = 1).", item.span, "UNEXPECTED_ITEM")
        records.append(value)
    if not items:
        raise DqlError("data takes records: data record(a = 1).", span, "MISSING_PARAMETER")
    pipeline.analysis = (pipeline.default_from_ns, pipeline.default_to_ns)
    pipeline.source = lambda _: (dict(record) for record in records)


def _from_json(text: Value, span: Span) -> list[Row]:
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        body = None
    rows: list[Any] = body if isinstance(body, list) else [body]
    if not all(isinstance(row, dict) for row in rows):
        raise DqlError("json is neither a JSON object nor an array of objects.", span, "INVALID_PARAMETER")
    return rows
