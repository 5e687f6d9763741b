"""What the analyzer of an anomaly detector is given, and how it is read (facts: alerting 2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

PREFIX = "dt.statistics.ui.anomaly_detection."
STATIC = f"{PREFIX}StaticThresholdAnomalyDetectionAnalyzer"
EVENT_TYPES = (
    "CUSTOM_ALERT", "CUSTOM_INFO", "ERROR_EVENT", "AVAILABILITY_EVENT", "PERFORMANCE_EVENT",
    "RESOURCE_CONTENTION_EVENT",
)  # fmt: skip
MAX_SAMPLES = 60
DEFAULTS = {
    "alertCondition": "ABOVE",
    "alertOnMissingData": "false",
    "violatingSamples": "3",
    "slidingWindow": "5",
    "dealertingSamples": "5",
}
"""Of the web interface; that the API fills them in is UNVERIFIED."""
QUERIES = ("query", "query.expression")
KEYS = (*QUERIES, "threshold", *DEFAULTS)
SAMPLES = ("violatingSamples", "slidingWindow", "dealertingSamples")


@dataclass(frozen=True)
class StaticThreshold:
    """The input of the static threshold analyzer, read."""

    query: str
    threshold: float
    condition: Literal["ABOVE", "BELOW"]
    on_missing_data: bool
    violating: int
    window: int
    dealerting: int


def problems(analyzer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the value's ``analyzer``: (path below it, text)."""
    if analyzer["name"] != STATIC:
        yield "name", f"The analyzer {analyzer['name']} is not part of the local environment. Available: {STATIC}."
        return
    given = inputs(analyzer)
    if len(given) < len(analyzer["input"]):
        yield "input", "Must not contain the same key twice"
    if unknown := sorted(given.keys() - set(KEYS)):
        yield "input", f"Unknown input fields: {', '.join(unknown)}"
    if sum(key in given for key in QUERIES) != 1:
        yield "input", "The input field query is required"
    if not number(given.get("threshold")):
        yield "input", "The input field threshold must be a number"
    values = {**DEFAULTS, **given}
    if values["alertCondition"] == "OUTSIDE":
        yield "input", "alertCondition OUTSIDE is not part of the local environment"
    elif values["alertCondition"] not in ("ABOVE", "BELOW"):
        yield "input", "The input field alertCondition must be ABOVE or BELOW"
    if values["alertOnMissingData"] not in ("true", "false"):
        yield "input", "The input field alertOnMissingData must be true or false"
    wrong = [key for key in SAMPLES if not whole(values[key])]
    for key in wrong:
        yield "input", f"The input field {key} must be a whole number from 1 to {MAX_SAMPLES}"
    if not wrong:
        violating, window, dealerting = (int(values[key]) for key in SAMPLES)
        if violating > window:
            yield "input", "violatingSamples must not exceed slidingWindow"
        if dealerting > window:  # it could never close; that it is refused is UNVERIFIED
            yield "input", "dealertingSamples must not exceed slidingWindow"


def inputs(analyzer: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in analyzer["input"]}


def number(text: str | None) -> bool:
    try:
        return text is not None and math.isfinite(float(text))
    except ValueError:
        return False


def whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MAX_SAMPLES


def read(analyzer: dict[str, Any]) -> StaticThreshold:
    """The input of a valid value."""
    values = {**DEFAULTS, **inputs(analyzer)}
    return StaticThreshold(
        query=next(values[key] for key in QUERIES if key in values),
        threshold=float(values["threshold"]),
        condition="ABOVE" if values["alertCondition"] == "ABOVE" else "BELOW",
        on_missing_data=values["alertOnMissingData"] == "true",
        violating=int(values["violatingSamples"]),
        window=int(values["slidingWindow"]),
        dealerting=int(values["dealertingSamples"]),
    )
