"""Checks of the rows of a state that is restored, so that they cause no errors later.

The tables take nearly anything, and the APIs expect what they themselves write there. What an API checks on its way in
is checked here by the same rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..automation import task_checks, workflow_checks, workflows
from ..automation.checks import InvalidError
from ..kernel.clock import EARLIEST_US, LATEST_US, MICROSECONDS
from ..kernel.nesting import read_json
from ..kernel.routing import WireError
from ..kernel.world import World
from ..settings import schema
from .checks import refused

Rows = Mapping[str, list[dict[str, Any]]]
CellCheck = Callable[[dict[str, Any], Any], None]
CENTURY_US = 100 * 365 * 86_400 * MICROSECONDS
YEARS_US = -62_135_596_800 * MICROSECONDS, 253_402_300_800 * MICROSECONDS
"""What a date can say: the years 1 to 9999."""
CLOCKED = ("workflows", "workflow_history", "executions", "task_executions", "action_executions", "execution_logs")
"""All times in these tables come from the clock; times in others may come from clients."""
NUMBERS = ("ids", "seed")
"""Of the kernel's own bookkeeping; the rest of it is text, or a plain yes."""


def check(world: World, rows: Rows) -> None:
    """Raises a 400 that names the first cell that does not fit."""
    added = [plugin.tables for plugin in world.plugins if plugin.tables]
    numbers = {*NUMBERS, *(key for tables in added for key in tables.meta_numbers)}
    cells = {**JSON_CELLS, **{cell: check for tables in added for cell, check in tables.cells.items()}}
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


def anything(entry: dict[str, Any], value: Any) -> None:
    """Any JSON."""


def an_object(entry: dict[str, Any], value: Any) -> None:
    if not isinstance(value, dict):
        raise ValueError("expected an object")


def objects(entry: dict[str, Any], value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(each, dict) and "id" in each for each in value):
        raise ValueError("expected a list of objects")


def texts(entry: dict[str, Any], value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("expected a list of strings")


def bookkeeping(numbers: set[str], entry: dict[str, Any], value: Any) -> None:
    number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    if number != (entry.get("key") in numbers) or isinstance(value, float | list | dict):
        raise ValueError("not what is kept there")


def workflow(entry: dict[str, Any], value: Any) -> None:
    an_object(entry, value)
    try:
        known = workflow_checks.checked({"title": "any", **value}, None)
    except WireError as error:
        raise ValueError(json.dumps(error.body["error"]["details"])) from None
    if missing := sorted(workflow_checks.DEFAULTS.keys() - known.keys()):
        raise ValueError(f"without {', '.join(missing)}")
    for each in value["tasks"].values():
        task(entry, each)
    planned = workflows.ticking(value)
    due, anchor = entry.get("next_us"), entry.get("anchor_us")
    if due is not None and (planned is None or anchor is None):
        raise ValueError("does not go with next_us and anchor_us")


def task(entry: dict[str, Any], value: Any) -> None:
    try:
        whole = task_checks.one(str(value.get("name")) if isinstance(value, dict) else "", value, 0)
    except InvalidError as error:
        raise ValueError(json.dumps(error.details)) from None
    if missing := sorted(whole.keys() - value.keys()):
        raise ValueError(f"without {', '.join(missing)}")


def allowlist(entry: dict[str, Any], value: Any) -> None:
    if found := schema.violations(value):
        raise ValueError(f"{found[0]['path']}: {found[0]['message']}")


JSON_CELLS: dict[tuple[str, str], CellCheck] = {
    ("users", "permissions"): texts,
    ("api_tokens", "scopes"): texts,
    ("oauth_clients", "scopes"): texts,
    ("credentials", "scopes"): texts,
    ("credentials", "allowed"): objects,
    ("workflows", "definition"): workflow,
    ("workflow_history", "definition"): workflow,
    ("task_executions", "definition"): task,
    ("executions", "input"): an_object,
    ("executions", "params"): an_object,
    ("executions", "result"): anything,
    ("task_executions", "result"): anything,
    ("action_executions", "result"): anything,
    ("settings_objects", "value"): allowlist,
    ("settings_outbound_history", "value"): allowlist,
    ("logs", "attributes"): an_object,
}
