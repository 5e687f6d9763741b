"""Values that the program and the sync script both read: ``tests/values`` lists what both must accept and refuse.

``accepted`` maps each text to what it means: durations in seconds, times as UTC, retries as a number, names unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.configuration import KEYS
from providers.rules import duration, moment
from tests import ROOT


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


READERS: dict[str, tuple[str, Callable[[str], Any], Callable[[Any], Any]]] = {
    "durations": ("initHistoryDuration", lambda text: duration(text).total_seconds(), float),
    "times": ("initialCheckpoint", moment, utc),
    "retries": ("maxRetries", KEYS["maxRetries"].rule, int),
    "names": ("name", KEYS["name"].rule, str),
}
"""Config key, what reads the text, and what reads the meaning in the file."""
FILES = {name: json.loads((ROOT / "tests" / "values" / f"{name}.json").read_text()) for name in READERS}
ACCEPTED = [(name, text, meaning) for name, file in FILES.items() for text, meaning in file["accepted"].items()]
REJECTED = [(name, text) for name, file in FILES.items() for text in file["rejected"]]


@pytest.mark.parametrize(("name", "text", "meaning"), ACCEPTED)
def test_an_accepted_value_is_accepted_and_means_the_same(name: str, text: str, meaning: Any) -> None:
    key, read, expected = READERS[name]

    assert read(text) == expected(meaning)
    assert read(str(KEYS[key].rule(text))) == expected(meaning), "what is deployed means the same as what was given"


@pytest.mark.parametrize(("name", "text"), REJECTED)
def test_a_rejected_value_is_rejected(name: str, text: str) -> None:
    key, read, _ = READERS[name]

    with pytest.raises(ValueError, match="must"):
        read(text)
    if text.strip() or KEYS[key].default != "":  # an empty optional value means that there is none
        with pytest.raises(ValueError, match="must"):
            KEYS[key].rule(text)
