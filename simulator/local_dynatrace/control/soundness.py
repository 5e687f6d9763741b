"""Checks the rows of a state that is restored, with the checks that each package exports next to its tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .. import automation, davis, documents, grail, logs, settings, vault
from ..kernel.clock import EARLIEST_US, LATEST_US, MICROSECONDS
from ..kernel.nesting import read_json
from ..kernel.rows import IDENTITY, CellCheck
from ..kernel.world import World
from .checks import refused

Rows = Mapping[str, list[dict[str, Any]]]
CHECKS = (IDENTITY, *(api.ROW_CHECKS for api in (automation, davis, documents, grail, logs, settings, vault)))
CLOCKED = {table for checks in CHECKS for table in checks.clocked}
CENTURY_US = 100 * 365 * 86_400 * MICROSECONDS
YEARS_US = -62_135_596_800 * MICROSECONDS, 253_402_300_800 * MICROSECONDS
"""What a date can say: the years 1 to 9999."""
NUMBERS = ("ids", "seed")
"""Of the kernel's own bookkeeping; the rest of it is text, or a plain yes."""


def check(world: World, rows: Rows) -> None:
    """Raises a 400 that names the first cell that does not fit."""
    added = [plugin.tables for plugin in world.plugins if plugin.tables]
    numbers = {*NUMBERS, *(key for tables in added for key in tables.meta_numbers)}
    cells = {
        **{cell: check for checks in CHECKS for cell, check in checks.cells.items()},
        **{cell: check for tables in added for cell, check in tables.cells.items()},
    }
    cells["kernel_meta", "value"] = partial(bookkeeping, numbers)
    for table, entries in rows.items():
        types = {column["name"]: column["type"] for column in world.store.all(f'PRAGMA table_info("{table}")')}
        for entry in entries:
            for column, value in entry.items():
                try:
                    check_cell(table, entry, column, types[column], value, cells.get((table, column)))
                except ValueError as error:
                    raise refused(400, f"tables: {table}: {name_of(entry)}: {column}: {error}.") from None


def name_of(entry: dict[str, Any]) -> str:
    return next((str(entry[key])[:60] for key in ("id", "key", "object_id", "number") if key in entry), "a row")


def check_cell(
    table: str, entry: dict[str, Any], column: str, type_: str, value: Any, check_json: CellCheck | None
) -> None:
    if value is None:
        return  # the table knows whether it may be
    if type_ == "INTEGER":
        if not isinstance(value, int) or not -(2**63) <= value < 2**63:
            raise ValueError("expected a whole number of 64 bits")
        least, most = (EARLIEST_US, LATEST_US + CENTURY_US) if table in CLOCKED else YEARS_US
        if column.endswith("_us") and not least <= value < most:
            raise ValueError("no time that could be meant")
    elif not isinstance(value, str | dict | list):
        raise ValueError("expected text")
    elif check_json:
        check_json(entry, read_json(value) if isinstance(value, str) else value)


def bookkeeping(numbers: set[str], entry: dict[str, Any], value: Any) -> None:
    number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    key = entry.get("key")
    if not isinstance(key, str) or number != (key in numbers) or isinstance(value, float | list | dict):
        raise ValueError("not what is kept there")
