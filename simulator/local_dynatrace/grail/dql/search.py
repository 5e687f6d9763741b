"""Text found anywhere in a value, in any case, with ``*`` as wildcard: what ``search`` and ``~`` look for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .text_functions import wildcard
from .values import Value


def holds(term: str) -> Callable[[Value], bool]:
    """Whether a value contains the term; in arrays and records, whether any member does."""
    pattern = wildcard(term.strip("*"), "*", "", re.IGNORECASE)
    return lambda value: any(pattern.search(text) for text in _texts(value))


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, int | float):
        yield str(value)
