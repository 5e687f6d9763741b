"""Ids of the audit records in Grail, by DQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from providers.api.environment import Environment

from .. import moments

SOURCE = "sectigo-scm"
IDS_A_QUERY = 500


class TooManyError(Exception):
    """A window holds more records than are kept in memory; a shorter one is asked for instead."""


@dataclass
class Found:
    """Copies by id, and the times of records that bear an id which the sync script made."""

    copies: dict[str, int] = field(default_factory=dict)
    nameless: list[datetime] = field(default_factory=list)


def in_window(environment: Environment, begin: datetime, end: datetime, most: int) -> Found:
    """Records of a window that arrived within 24 hours, under their own time. Raises TooManyError."""
    found = Found()
    rows = environment.query_logs(
        f'fetch logs, from:"{moments.iso(begin)}", to:"{moments.iso(end)}" | filter log.source == "{SOURCE}" '
        "and isNull(scm.backfill) | summarize copies = count(), at = takeAny(scm.event.timestamp), "
        f"nameless = takeAny(event.id.synthetic), by: {{id = event.id}} | limit {most + 1}",
        most=most + 1,
    )
    if len(rows) > most:
        raise TooManyError
    for row in rows:
        at = moments.parse(row["at"])
        # Where ingest rounds times, a record can turn up in the neighbouring window.
        if at is None or not begin <= at < end:
            continue
        if row["nameless"] == "true":
            found.nameless.append(at)
        else:
            found.copies[str(row["id"])] = int(row["copies"])
    return found


def by_id(environment: Environment, ids: Iterable[str], since: datetime) -> dict[str, int]:
    """Copies of these ids, wherever they are since a time: older records are stored under the time of their arrival."""
    found: dict[str, int] = {}
    for some in batches(ids):
        listed = ", ".join(json.dumps(id, ensure_ascii=False) for id in some)
        rows = environment.query_logs(
            f'fetch logs, from:"{moments.iso(since)}" | filter log.source == "{SOURCE}" '
            f"and in(event.id, array({listed})) | summarize copies = count(), by: {{id = event.id}}",
            most=IDS_A_QUERY,
        )
        found |= {str(row["id"]): int(row["copies"]) for row in rows}
    return found


def nameless(environment: Environment, begin: datetime, end: datetime) -> int:
    """Records of a window that bear an id which the sync script made, wherever they are stored."""
    rows = environment.query_logs(
        f'fetch logs, from:"{moments.iso(begin)}" | filter log.source == "{SOURCE}" and event.id.synthetic == "true" '
        f'and toTimestamp(scm.event.timestamp) >= toTimestamp("{moments.iso(begin)}") '
        f'and toTimestamp(scm.event.timestamp) < toTimestamp("{moments.iso(end)}") '
        "| dedup event.id | summarize n = count()"
    )
    return int(rows[0]["n"]) if rows else 0


def batches(ids: Iterable[str]) -> Iterator[list[str]]:
    left = iter(ids)
    while some := list(islice(left, IDS_A_QUERY)):
        yield some
