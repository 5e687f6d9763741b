"""Filters, order and pages of the list calls (facts: dynatrace-api 5.1, 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.routing import Call
from ..kernel.store import Row
from .errors import invalid

DEFAULT_LIMIT = 100
"""Of executions (DC); of workflows UNVERIFIED and taken to be the same."""

END_OF_TIME_US = 2**62

Order = Mapping[str, Callable[[Row], Any]]


def words(call: Call, name: str) -> set[str]:
    """The values of a parameter that takes several: repeated or separated by commas."""
    return {word for value in call.query_all(name) for word in value.split(",") if word}


def flag(call: Call, name: str) -> bool | None:
    value = call.query.get(name)
    if value is None:
        return None
    if value.lower() not in ("true", "false"):
        raise invalid({name: ["Must be a valid boolean."]})
    return value.lower() == "true"


def moment(call: Call, name: str) -> int | None:
    value = call.query.get(name)
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise invalid({name: ["Enter a valid date/time."]}) from None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * MICROSECONDS)


def count_of(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, str(default))
    if not value.isdecimal():
        raise invalid({name: ["A valid integer is required."]})
    return int(value)


def refuse(call: Call, *names: str) -> None:
    """A documented parameter that would be ignored here: an unfiltered list would be taken for the filtered one."""
    if given := [name for name in names if name in call.query]:
        raise invalid({name: ["This parameter is not part of the local environment."] for name in given})


def page(call: Call, rows: list[Row], orders: Order, default_order: str, shown: Callable[[Row], Any]) -> dict[str, Any]:
    """``{count, results}``; ``ordering=-field`` turns a field's order round."""
    for name in reversed((call.query.get("ordering") or default_order).split(",")):
        field = name.removeprefix("-")
        if field not in orders:
            raise invalid({"ordering": [f'"{field}" is not a valid choice.']})
        rows = sorted(rows, key=orders[field], reverse=name.startswith("-"))
    offset, limit = count_of(call, "offset", 0), count_of(call, "limit", DEFAULT_LIMIT)
    return {"count": len(rows), "results": [shown(row) for row in rows[offset : offset + limit]]}
