"""Nested values: kept as JSON text (``raw``, the default of new environments) or spread over keys (``flattened``)."""

from __future__ import annotations

import json
from typing import Any, Literal

Structure = Literal["raw", "flattened"]
MAX_DEPTH = 5
MAX_VALUES = 32
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def flatten(record: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """One level of keys joined by dots, and whether something nested deeper than five levels was removed (SC)."""
    flat: dict[str, Any] = {}
    too_nested = False

    def add(key: str, value: Any) -> None:
        """A name that is taken stays; the newcomer becomes ``overwritten1.…``, the next ``overwritten2.…``."""
        name, number = key, 0
        while name in flat:
            number += 1
            name = f"overwritten{number}.{key}"
        flat[name] = value

    def walk(prefix: str, value: dict[str, Any], depth: int) -> None:
        nonlocal too_nested
        for key, inner in value.items():
            if not isinstance(inner, dict):
                add(prefix + key, inner)
            elif depth >= MAX_DEPTH:
                too_nested = True
            else:
                walk(f"{prefix}{key}.", inner, depth + 1)

    walk("", record, 1)
    return flat, too_nested


def simple(value: Any) -> Any:
    """An attribute's value without structure: arrays of simple values stay arrays, all else becomes JSON text."""
    if isinstance(value, dict):
        return compact(value)
    if isinstance(value, list):
        return [compact(item) if isinstance(item, dict | list) else item for item in value]
    return value
