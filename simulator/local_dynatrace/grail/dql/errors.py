"""What is wrong with a query, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of the query text: offsets of its first character and of the one behind its last."""

    start: int
    end: int


class DqlError(Exception):
    """A query that cannot be run. ``position`` is None where it is about the query as a whole.

    ``type`` is Grail's ``errorType``; the words are UNVERIFIED but for FIELD_DOES_NOT_EXIST.
    """

    def __init__(
        self, message: str, position: Span | None = None, type: str = "INVALID_QUERY", arguments: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message, self.position, self.type, self.arguments = message, position, type, arguments


def unknown(what: str, name: str, known: Iterable[str], position: Span | None) -> DqlError:
    """``name`` is not part of the simulated DQL. The message suggests close names, else lists all known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if not close:
        close = [known_name for known_name in names if known_name.lower() == name.lower()]
    hint = f"Did you mean {' or '.join(close)}?" if close else f"Available: {', '.join(names) or 'none'}."
    type = f"UNKNOWN_{what.partition(' ')[0].upper()}"
    return DqlError(f"The {what} {name} doesn't exist. {hint}", position, type, (name,))
