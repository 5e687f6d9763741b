"""The custom validators that the schemas name: what the server checks beyond lengths and patterns.

Each gets a well-formed value and yields (path below it, text). Texts are UNVERIFIED.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import analyzers, hostnames

Found = Iterator[tuple[str, str]]


def allowed_hostname(value: str) -> Found:
    if problem := hostnames.problem(value):
        yield "", problem


def event_template(value: dict[str, Any]) -> Found:
    """Name, description and type of the event are needed (facts: alerting 2)."""
    properties = {each["key"]: each["value"] for each in value["properties"]}
    if len(properties) < len(value["properties"]):
        yield "properties", "Must not contain the same key twice"
    for key in ("event.name", "event.description", "event.type"):
        if key not in properties:
            yield "properties", f"The property {key} is required"
    if properties.get("event.type", "CUSTOM_ALERT") not in analyzers.EVENT_TYPES:
        yield "properties", f"The property event.type must be one of {', '.join(analyzers.EVENT_TYPES)}"


def anomaly_detector(value: dict[str, Any]) -> Found:
    """Nothing beyond its parts: whether the query runs shows when it is evaluated (facts: alerting 2)."""
    return iter(())


VALIDATORS: dict[str, Callable[[Any], Found]] = {
    "allowed-hostname": allowed_hostname,
    "analyzer-input-validator": analyzers.problems,
    "davis-event-template-validator": event_template,
    "anomaly-detector-validator": anomaly_detector,
}
"""By the last part of ``customValidatorId``."""
