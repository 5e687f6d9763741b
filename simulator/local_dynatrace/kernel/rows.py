"""Checks of the rows of a state that is restored, so that no API fails on them later.

The tables take nearly anything, but the APIs expect what they themselves write. Each package exports a ``RowChecks``
for its tables as ``ROW_CHECKS``, by the rules with which its API checks requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CellCheck = Callable[[dict[str, Any], Any], None]
"""Called with the row and the JSON value of a cell; raises ValueError with the reason."""


@dataclass(frozen=True)
class RowChecks:
    cells: Mapping[tuple[str, str], CellCheck] = field(default_factory=dict)
    """By (table, column)."""
    clocked: tuple[str, ...] = ()
    """Tables whose times were all read from the clock, or computed from it; others may come from outside."""


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


IDENTITY = RowChecks(
    {("users", "permissions"): texts, ("api_tokens", "scopes"): texts, ("oauth_clients", "scopes"): texts}
)
"""Of the tables in kernel/identity.py."""
