"""A query's result as Grail sends it: records, their types, and what it took (facts: dynatrace-api 8)."""

from __future__ import annotations

from typing import Any

from ..kernel import rfc3339
from .dql import Result
from .dql.values import encode, types_of


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
