"""What happens to a batch of records: limits, age, and what was stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.identity import Principal
from ..kernel.world import World
from . import errors, table
from .record import Reader
from .structure import Structure
from .table import LogRow

MAX_RECORDS = 50_000
MAX_PROCESSED = 16 * 1024 * 1024
"""Of content and attributes in UTF-8; how the platform counts is UNVERIFIED."""


@dataclass
class Outcome:
    stored: int = 0
    invalid: int = 0
    too_old: int = 0
    too_nested: list[int] = field(default_factory=list)
    """Indexes of records that were stored without their deepest attributes."""


def store(
    world: World,
    records: list[Any],
    principal: Principal | None = None,
    *,
    added: dict[str, Any] | None = None,
    structure: Structure | str = "raw",
    unpaired_surrogates: bool = False,
) -> Outcome:
    """Store what can be stored; the caller turns the outcome into an answer.

    Raises WireError where the whole batch is refused: empty, too many, nothing valid, too large after processing, or
    too old by the option ``old_records``.
    """
    if not records:
        raise errors.empty()
    if len(records) > MAX_RECORDS:
        raise errors.too_large(f"The number of log records exceeds the limit of {MAX_RECORDS}")
    outcome, rows, size = Outcome(), [], 0
    reader = batch_reader(world, principal, added or {}, structure)
    for index, record in enumerate(records):
        row = read(reader, record, outcome)
        if row is None:
            continue
        if unpaired_surrogates:
            row = without_surrogates(row)
        if reader.too_nested:
            outcome.too_nested.append(index)
        size += utf8_size(row.content) + utf8_size(row.attributes)
        rows.append(row)
    if outcome.invalid == len(records):
        raise errors.invalid("No log record is a JSON object")
    if outcome.too_old and world.options.old_records == "refuse":
        raise errors.timestamps_out_of_range(outcome.too_old)
    if size > MAX_PROCESSED:
        raise errors.too_large_after_processing()
    table.insert(world, rows)
    outcome.stored = len(rows)
    world.changed("logs", len(rows))
    return outcome


def batch_reader(world: World, principal: Principal | None, added: dict[str, Any], structure: str) -> Reader:
    now_us = world.clock.now_us()
    visible_us = now_us + round(world.options.logs_visible_after_s * MICROSECONDS)
    # The public part of the API token; what a bearer's record gets is UNVERIFIED, here nothing.
    origin = principal.token_id if principal and principal.kind == "api-token" else None
    return Reader(now_us, visible_us, added, origin, structure)


def read(reader: Reader, record: Any, outcome: Outcome) -> LogRow | None:
    """The row of a record, or None and one more in the outcome."""
    try:
        row = reader.read(record) if isinstance(record, dict) else None
    except ValueError:  # a number that JSON cannot write, such as 1e999
        row, record = None, None
    if row is None:
        if isinstance(record, dict):
            outcome.too_old += 1
        else:
            outcome.invalid += 1
    return row


def utf8_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def without_surrogates(row: LogRow) -> LogRow:
    return row._replace(
        source=row.source and replaced(row.source),
        content=replaced(row.content),
        attributes=replaced(row.attributes),
    )


def replaced(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
