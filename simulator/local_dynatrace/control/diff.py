"""The difference of two dumps: added, removed and changed rows, by table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .checks import refused

Dump = Mapping[str, list[dict[str, Any]]]


def diff(before: Dump, after: Dump) -> dict[str, dict[str, list[Any]]]:
    """By table: ``added`` and ``removed`` rows, and ``changed`` ones as ``{"id", "fields": {name: [old, new]}}``.

    Tables without a difference are left out: equal dumps have an empty difference. Rows belong together by ``id``.
    """
    found = {}
    for name in sorted({*before, *after}):
        table = of_table(before.get(name, []), after.get(name, []))
        if any(table.values()):
            found[name] = table
    return found


def of_table(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, list[Any]]:
    old, new = {key(row): row for row in before}, {key(row): row for row in after}
    return {
        "added": [new[one] for one in new if one not in old],
        "removed": [old[one] for one in old if one not in new],
        "changed": [
            {"id": one, "fields": fields(old[one], new[one])} for one in new if one in old and old[one] != new[one]
        ],
    }


def key(row: dict[str, Any]) -> str:
    return str(row["id"]) if "id" in row else json.dumps(row, sort_keys=True)


def fields(old: dict[str, Any], new: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [old.get(name), new.get(name)] for name in sorted({*old, *new}) if old.get(name) != new.get(name)}


def dump_of(value: Any, name: str) -> Dump:
    rows = isinstance(value, dict) and all(
        isinstance(table, list) and all(isinstance(row, dict) for row in table) for table in value.values()
    )
    if not rows:
        raise refused(400, f"{name}: expected a dump, as GET /_sim/dump gives it.")
    found: Dump = value
    return found
