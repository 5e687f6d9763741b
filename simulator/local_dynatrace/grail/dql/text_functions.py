"""DQL's string functions. Matching is case-sensitive unless said otherwise (docs: string-functions)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .functions import MANY, dql, to_string
from .values import Value


def _texts(*values: Value) -> bool:
    return all(isinstance(value, str) for value in values)


def _comparison(name: str, test: Callable[[str, str], bool]) -> None:
    @dql(name, 2, named={"caseSensitive": True})
    def compared(text: Value, part: Value, *, caseSensitive: Value) -> bool | None:  # noqa: N803
        if type(text) is not str or type(part) is not str:
            return None
        return test(text.lower(), part.lower()) if caseSensitive is False else test(text, part)


for _name, _test in {"contains": str.__contains__, "startsWith": str.startswith, "endsWith": str.endswith}.items():
    _comparison(_name, _test)


@lru_cache(maxsize=512)
def wildcard(pattern: str, many: str, one: str, flags: int) -> re.Pattern[str]:
    """A pattern with wildcards as a regular expression over the whole text."""
    while many * 2 in pattern:
        pattern = pattern.replace(many * 2, many)
    parts = (".*" if c == many else "." if c == one else re.escape(c) for c in pattern)
    return re.compile("".join(parts), flags | re.DOTALL)


@dql("like", 2)
def like(text: Value, pattern: Value) -> bool | None:
    return bool(wildcard(pattern, "%", "_", 0).fullmatch(text)) if _texts(text, pattern) else None


@dql("matchesValue", 2, named={"caseSensitive": False})
def matches_value(value: Value, patterns: Value, *, caseSensitive: Value) -> bool | None:  # noqa: N803
    """The whole value against a pattern with ``*``; arrays on either side: any of them. Ignores case by default."""
    values = value if isinstance(value, list) else [value]
    flags = 0 if caseSensitive is True else re.IGNORECASE
    found = [
        bool(wildcard(pattern, "*", "", flags).fullmatch(each))
        for pattern in (patterns if isinstance(patterns, list) else [patterns])
        for each in values
        if _texts(each, pattern)
    ]
    return any(found) if found else None


@lru_cache(maxsize=512)
def _phrase(phrase: str, flags: int) -> re.Pattern[str]:
    inner = r"\W+".join(re.escape(word) for word in phrase.strip("*").split())
    before = "" if phrase.startswith("*") else r"(?<![^\W_])"
    after = "" if phrase.endswith("*") else r"(?![^\W_])"
    return re.compile(before + inner + after, flags)


@dql("matchesPhrase", 2, named={"caseSensitive": False})
def matches_phrase(text: Value, phrase: Value, *, caseSensitive: Value) -> bool | None:  # noqa: N803
    """Whole words in this order; ``*`` at an end lets the word go on. Ignores case by default."""
    texts = [each for each in (text if isinstance(text, list) else [text]) if isinstance(each, str)]
    if not texts or not isinstance(phrase, str):
        return None
    pattern = _phrase(phrase, 0 if caseSensitive is True else re.IGNORECASE)
    return any(pattern.search(each) for each in texts)


def _change(name: str, change: Callable[[str], str]) -> None:
    @dql(name, 1)
    def changed(text: Value) -> str | None:
        return change(text) if isinstance(text, str) else None


_CHANGES: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim": str.strip}
for _name, _method in _CHANGES.items():
    _change(_name, _method)


@dql("concat", 1, MANY, {"delimiter": ""})
def concat(*values: Value, delimiter: Value) -> str | None:
    return str(delimiter).join(str(to_string(value)) for value in values)


@dql("stringLength", 1)
def string_length(text: Value) -> int | None:
    return len(text) if isinstance(text, str) else None


@dql("substring", 1, named={"from": None, "to": None})
def substring(text: Value, **bounds: Value) -> str | None:
    """``from`` inclusive, ``to`` exclusive; negative positions count from the end."""
    low, high = bounds["from"], bounds["to"]
    if not isinstance(text, str) or any(type(bound) not in (int, type(None)) for bound in (low, high)):
        return None
    return text[low:high]


@dql("indexOf", 2)
def index_of(text: Value, part: Value) -> int | None:
    return text.find(part) if _texts(text, part) else None


@dql("lastIndexOf", 2)
def last_index_of(text: Value, part: Value) -> int | None:
    return text.rfind(part) if _texts(text, part) else None


@dql("splitString", 2)
def split_string(text: Value, delimiter: Value) -> Any:
    if not _texts(text, delimiter):
        return None
    return text.split(delimiter) if delimiter else list(text)


@dql("replaceString", 3)
def replace_string(text: Value, old: Value, new: Value) -> str | None:
    if not _texts(text, old, new):
        return None
    return text.replace(old, new) if old else str(text)


@dql("jsonField", 2)
def json_field(text: Value, name: Value) -> Value:
    """A top-level member of a JSON object held in a string."""
    if not _texts(text, name):
        return None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body.get(name) if isinstance(body, dict) else None
