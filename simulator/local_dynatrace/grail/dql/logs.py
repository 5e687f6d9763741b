"""``fetch logs``: from the table of the log ingest, with the conditions SQLite can answer from its indexes.

Table ``logs`` belongs to ``local_dynatrace.logs``; a record's attributes are one JSON text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from .syntax import Binary, Constant, Expr, Field
from .values import Row, Timestamp

COLUMNS = {"log.source": "source", "loglevel": "loglevel", "status": "status"}
"""Fields that have a column of their own."""


@dataclass
class LogSource:
    """A reading of the table, narrowed down step by step before it starts."""

    now_us: int
    from_ns: int
    to_ns: int
    equal: list[tuple[str, str]] = field(default_factory=list)
    """(column, value) conditions."""
    newest_first: bool = False
    bucket: str | None = None
    """Shown as ``dt.system.bucket``, for queries that name this field [D]."""
    limit: int | None = None
    scanned_records: int = 0
    scanned_bytes: int = 0

    def take(self, condition: Expr) -> Expr | None:
        """Take over what can be answered by SQL; returns the rest of the condition."""
        match condition:
            case Binary("and", left, right):
                rest_left, rest_right = self.take(left), self.take(right)
                if rest_left is None or rest_right is None:
                    return rest_left or rest_right
                return Binary("and", rest_left, rest_right, span=condition.span)
            case Binary("==", Field(name), Constant(str() as value)) if name in COLUMNS:
                self.equal.append((COLUMNS[name], value))
                return None
            case Binary("==", Constant(str() as value), Field(name)) if name in COLUMNS:
                self.equal.append((COLUMNS[name], value))
                return None
        return condition

    def rows(self, db: sqlite3.Connection) -> Iterator[Row]:
        # Bounds are nanoseconds, the table has microseconds: from is inclusive, to exclusive.
        values: list[object] = [-(-self.from_ns // 1000), -(-self.to_ns // 1000), self.now_us]
        where = "timestamp_us >= ? AND timestamp_us < ? AND visible_us <= ?"
        for column, value in self.equal:
            where += f" AND {column} = ?"
            values.append(_utf8(value))
        order = "DESC" if self.newest_first else "ASC"
        sql = f"SELECT * FROM logs WHERE {where} ORDER BY timestamp_us {order}, id {order}"
        if self.limit is not None:
            sql += f" LIMIT {self.limit}"
        for row in db.execute(sql, values):
            self.scanned_records += 1
            attributes = row["attributes"]
            content = row["content"]
            self.scanned_bytes += len(attributes) + len(content or "")
            record: Row = {"timestamp": Timestamp(row["timestamp_us"] * 1000)}
            for name in ("content", "loglevel", "status"):
                if row[name] is not None:
                    record[name] = row[name]
            record.update(json.loads(attributes))
            if self.bucket:
                record["dt.system.bucket"] = self.bucket
            yield record


def _utf8(text: str) -> str:
    """No stored text has a lone surrogate, and SQLite would refuse one: compare with what can never be there."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "\0"
    return text
