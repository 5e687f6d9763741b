"""The newest audit records as a table, by the manual's DQL query."""

from __future__ import annotations

import argparse
import shutil
import time
from typing import Any

from .stack import Stack

Record = dict[str, Any]
COLUMNS = (("time (UTC)", 19), ("level", 5), ("service", 22), ("action", 28), ("details", 0))
VISIBLE_WITHIN_S = 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--most", type=int, default=20, help="maximum number of records (default: 20)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    records = newest(stack, options.most)
    print(table(records) if records else "No audit records in the last 24 h.")
    return 0


def newest(stack: Stack, most: int, *, wait: bool = False) -> list[Record]:
    """The newest records; with ``wait``, until the first one is visible (log ingest needs about 10 s)."""
    until = time.monotonic() + VISIBLE_WITHIN_S
    while True:
        # The query looks back as far as the first run reached, not only the default two hours.
        query = stack.outputs["logQuery"].replace("fetch logs", "fetch logs, from:-24h", 1)
        records = stack.environment.query_logs(query, most=most)
        if records or not wait or time.monotonic() >= until:
            return records[:most]
        time.sleep(1.0)


def table(records: list[Record]) -> str:
    width = max(shutil.get_terminal_size((120, 24)).columns, 80)
    rows = [tuple(name for name, _ in COLUMNS)] + [cells(record) for record in records]
    sizes = [min(size, max(len(row[i]) for row in rows)) for i, (_, size) in enumerate(COLUMNS[:-1])]
    rest = max(width - sum(sizes) - 2 * len(sizes), 20)
    lines = ["  ".join(map(cut, row, [*sizes, rest])).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * min(width, max(map(len, lines))), *lines[1:]])


def cells(record: Record) -> tuple[str, ...]:
    service, action = str(record.get("event.service", "")), str(record.get("event.action", ""))
    return (
        str(record.get("timestamp", ""))[:19].replace("T", " "),
        str(record.get("loglevel", "")),
        service,
        action,
        # The other columns show the beginning of `content`.
        " ".join(str(record.get("content", "")).removeprefix(f"[{service}] {action}: ").split()),
    )


def cut(text: str, size: int) -> str:
    return (text if len(text) <= size else text[: size - 1] + "…").ljust(size)
