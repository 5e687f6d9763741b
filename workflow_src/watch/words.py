"""The words of ``actions.yaml`` as conditions in DQL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def source(name: str) -> Any:
    """The content of a YAML source of this package."""
    import yaml  # only the program reads it; its providers get the content

    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def text(value: str) -> str:
    """A DQL string literal."""
    return json.dumps(value, ensure_ascii=False)


@lru_cache
def groups() -> dict[str, dict[str, Any]]:
    """The groups of actions, by name."""
    found: dict[str, dict[str, Any]] = source("actions")["groups"]
    return found


def any_of(words: Iterable[str], *fields: str) -> str:
    """One of the fields contains one of the words, in upper or lower case."""
    tests = [f"contains({field}, {text(word)}, caseSensitive: false)" for word in words for field in fields]
    return f"({' or '.join(tests)})"


def condition(group: str) -> str:
    """A record's action belongs to the group."""
    rule = groups()[group]
    actions = any_of(rule["actions"], "event.action")
    if "objects" not in rule:
        return actions
    return f"({actions} and {any_of(rule['objects'], 'object.type', 'event.category')})"


def known() -> str:
    """A record's action belongs to any group; objects are not looked at."""
    words = dict.fromkeys(word for rule in groups().values() for word in rule["actions"])
    return any_of(words, "event.action")
