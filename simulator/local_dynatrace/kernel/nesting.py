"""JSON that is read only to be written again: some levels deeper, and from further down the stack.

Python reads and writes nested JSON to a depth of nearly a thousand and then raises RecursionError. What is accepted
stays well below, else it could be stored and never be shown.
"""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 500


def read_json(text: bytes | str) -> Any:
    """Raises ValueError for what is no JSON, or nested too deeply."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if deeper_than(value, DEEPEST):
        raise ValueError("nested too deeply")
    return value


def deeper_than(value: Any, levels: int) -> bool:
    level = containers([value])
    while level and levels:
        level, levels = [inner for each in level for inner in containers(each)], levels - 1
    return bool(level)


def containers(value: Any) -> list[Any]:
    """The objects and lists directly inside of one."""
    inner = value.values() if isinstance(value, dict) else value
    return [each for each in inner if isinstance(each, dict | list)]
