"""Refusals of the control API in one envelope, and the checks of what it is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..kernel.clock import MICROSECONDS, OutOfRangeError, settable
from ..kernel.routing import Call, WireError

MOST = 1e10
"""Of any number that the control API takes; as seconds, three centuries."""


def refused(status: int, message: str) -> WireError:
    return WireError(status, {"error": {"code": status, "message": message}})


def body_object(call: Call, *known: str) -> dict[str, Any]:
    """The body as a JSON object with no other members than ``known`` (if any are named)."""
    body = call.json()
    if not isinstance(body, dict):
        raise refused(400, "The body must be a JSON object.")
    unknown = sorted(set(body) - set(known)) if known else []
    if unknown:
        raise refused(400, f"Unknown: {', '.join(unknown)}. Known: {', '.join(known)}.")
    return body


def time_us(text: Any, name: str) -> int:
    """A point in time (RFC 3339; UTC where no zone is given) in microseconds."""
    try:
        moment = datetime.fromisoformat(str(text))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused(400, f"{name}: '{text}' is no ISO 8601 time, such as 2026-01-29T08:00:00Z.") from None
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86400 + delta.seconds) * MICROSECONDS + delta.microseconds


def clock_us(us: int) -> int:
    """A time that the clock is to be set to."""
    try:
        return settable(us)
    except OutOfRangeError as error:
        raise refused(400, str(error)) from None


def number(text: Any, name: str, *, least: float = 0, most: float = MOST, default: float | None = None) -> float:
    if text is None and default is not None:
        return default
    try:
        value = float(text)
    except (TypeError, ValueError, OverflowError):
        value = float("nan")
    if isinstance(text, bool) or not least <= value <= most:
        raise refused(400, f"{name}: expected a number from {least:g} to {most:g}.")
    return value


def flag(call: Call, name: str) -> bool:
    return call.query.get(name, "").lower() in ("1", "true", "yes")
