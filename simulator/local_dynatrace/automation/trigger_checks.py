"""Checks of a workflow's ``trigger`` (facts: dynatrace-api 5.3)."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime
from functools import cache
from typing import Any

from . import cron, event_trigger_checks
from .checks import InvalidError, each, flag, mapping, not_simulated, nullable, only_empty, text, uuid_text, whole

TYPES = ("cron", "time", "interval", "once")


@cache
def timezones() -> tuple[str, ...]:
    return tuple(sorted(name for name in zoneinfo.available_timezones() if name not in ("localtime", "Factory")))


def trigger(value: Any) -> dict[str, Any]:
    checks = {"schedule": nullable(schedule), "eventTrigger": nullable(event_trigger_checks.checked)}
    given = each(checks, mapping(value or {}))
    return {name: part for name, part in given.items() if part}


def schedule(value: Any) -> dict[str, Any]:
    body = mapping(value)
    if not body:
        return {}
    if "trigger" not in body:
        raise InvalidError({"trigger": ["This field is required."]})
    given = each(
        {
            "trigger": schedule_trigger,
            "isActive": flag,
            "timezone": timezone,
            "rule": nullable(rule),
            "filterParameters": filter_parameters,
        },
        body,
    )
    return {"isActive": False, "timezone": "UTC", "rule": None, "filterParameters": {}, **given}


def schedule_trigger(value: Any) -> dict[str, Any]:
    body = mapping(value)
    kind = body.get("type", "")
    if kind not in TYPES:
        allowed = ", ".join(f"'{name}'" for name in TYPES)
        raise InvalidError(f"No match for discriminator 'type_' and value '{kind}' (allowed values: {allowed})")
    checks, needed = BY_TYPE[kind]
    if needed not in body:
        raise InvalidError({needed: ["This field is required."]})
    return {"type": kind, **each(checks, body)}


def timezone(value: Any) -> str:
    if value not in timezones():
        raise InvalidError(f'"{value}" is not a valid choice.')
    return str(value)


def rule(value: Any) -> str:
    raise InvalidError(f'Invalid pk "{uuid_text(value)}" - object does not exist.')


def filter_parameters(value: Any) -> dict[str, Any]:
    if any(part not in (None, []) for part in mapping(value or {}).values()):
        raise not_simulated("Filtering a schedule (filterParameters)")
    return {}


def clock_time(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise InvalidError("Time has wrong format. Use HH:MM.")
    return value


def cron_text(value: Any) -> str:
    try:
        cron.parse(text(blank=False)(value))
    except ValueError as error:
        raise InvalidError(str(error)) from None
    return str(value)


def local_datetime(value: Any) -> str:
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is not None:
            raise ValueError
    except (TypeError, ValueError):
        raise InvalidError("Datetime has wrong format. Use YYYY-MM-DDTHH:MM:SS without a zone.") from None
    return str(value)


BETWEEN = only_empty("A daily window of an interval (betweenStart, betweenEnd)")
BY_TYPE: dict[str, tuple[dict[str, Any], str]] = {
    "interval": (
        {"intervalMinutes": whole(1, 720), "betweenStart": BETWEEN, "betweenEnd": BETWEEN},
        "intervalMinutes",
    ),
    "time": ({"time": clock_time}, "time"),
    "cron": ({"cron": cron_text}, "cron"),
    "once": ({"at": local_datetime}, "at"),
}
