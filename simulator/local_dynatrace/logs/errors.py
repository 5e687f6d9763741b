"""Answers of log ingest that are not a plain 204. Texts are UNVERIFIED but for the two named."""

from __future__ import annotations

from typing import Any

from ..kernel.routing import WireError, classic_error


def invalid(message: str) -> WireError:
    return classic_error(400, message)


def empty() -> WireError:
    """``empty_messages`` (LD)."""
    return invalid("The request contains no log records")


def timestamps_out_of_range(count: int) -> WireError:
    """``timestamps_out_of_range`` (LD), where one old record refuses the batch."""
    return invalid(f"The batch contains {count} log records with a timestamp more than 24 hours in the past")


def unsupported_content(media_type: str) -> WireError:
    return invalid(f"Unsupported content type {media_type!r}")


def too_large(what: str) -> WireError:
    return classic_error(413, what)


def too_large_after_processing() -> WireError:
    """The text is the vendor's (LL)."""
    return too_large("Message size limit exceeded after preprocessing on ingest endpoint")


def partial(invalid: int, too_old: int, too_nested: list[int]) -> dict[str, Any]:
    """The 200 of a batch that was stored in part; the text on nesting is the vendor's (SC)."""
    parts = []
    if invalid:
        parts.append(f"{invalid} records were not ingested: no JSON object.")
    if too_old:
        parts.append(f"{too_old} records were not ingested: timestamp more than 24 hours in the past.")
    if too_nested:
        indexes = ", ".join(str(index) for index in too_nested[:20])
        parts.append(f"Event(s) has attributes which are too nested for records: {indexes}")
    return {"details": {"code": 200, "message": " ".join(parts)}}
