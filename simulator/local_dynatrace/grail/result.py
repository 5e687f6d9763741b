"""A query's result as Grail sends it: records, their types, and what it took (facts: dynatrace-api 8)."""

from __future__ import annotations

import math
from typing import Any

from ..kernel import rfc3339
from .dql import Result
from .dql.values import Duration, Timeframe, Timestamp, Value, kind


def encode(value: Value) -> Any:
    """A value as JSON. A long is a string, as is a duration in nanoseconds."""
    match value:
        case None | bool() | str():
            return value
        case Timestamp():
            return rfc3339.from_ns(int(value))
        case Duration() | int():
            return str(int(value))
        case float():
            return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
        case list():
            return [encode(each) for each in value]
        case dict():
            return {str(name): encode(each) for name, each in value.items()}
        case Timeframe():
            return {"start": encode(value.start), "end": encode(value.end)}
    raise AssertionError(value)


def type_of(value: Value) -> dict[str, Any]:
    described: dict[str, Any] = {"type": kind(value)}
    if isinstance(value, list):
        described["types"] = types_of([{"element": each} for each in value])
    elif isinstance(value, dict):
        described["types"] = types_of([value])
    return described


def types_of(records: list[dict[str, Value]]) -> list[dict[str, Any]]:
    """Runs of records whose fields have the same types; a field that is missing or null fits any type."""
    runs: list[dict[str, Any]] = []
    mappings: dict[str, Any] = {}
    start = 0
    for index, record in enumerate(records):
        own = {str(name): type_of(value) for name, value in record.items()}
        merged = _merge(mappings, own)
        if merged is None:
            runs.append({"indexRange": [start, index - 1], "mappings": mappings})
            start, merged = index, own
        mappings = merged
    if records:
        runs.append({"indexRange": [start, len(records) - 1], "mappings": mappings})
    return runs


def _merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    merged = dict(one)
    for name, described in other.items():
        known = merged.get(name)
        if known is None or known["type"] == "undefined":
            merged[name] = described
        elif described["type"] != "undefined" and described != known:
            return None
    return merged


def wire(result: Result, query_id: str) -> dict[str, Any]:
    notifications = []
    if result.truncated:
        # Words UNVERIFIED.
        notifications.append(
            {
                "severity": "WARNING",
                "notificationType": "RESULT_LIMIT_RECORDS",
                "message": f"Your result has been limited to {len(result.rows)} records.",
                "arguments": [str(len(result.rows))],
            }
        )
    timeframe = {"start": rfc3339.from_ns(result.from_ns), "end": rfc3339.from_ns(result.to_ns)}
    grail = {
        "query": result.query,
        "canonicalQuery": result.canonical,
        "queryId": query_id,
        "dqlVersion": "V1_0",
        "timezone": "Z",
        "locale": "und",
        "analysisTimeframe": timeframe,
        "scannedRecords": result.scanned_records,
        "scannedBytes": result.scanned_bytes,
        "scannedDataPoints": 0,
        "executionTimeMilliseconds": result.milliseconds,
        "sampled": False,
        "notifications": notifications,
    }
    return {
        "records": [encode(row) for row in result.rows],
        "types": types_of(result.rows),
        "metadata": {"grail": grail},
    }
