"""The page cursor of the audit API: ``2026-01-29T09:44:11.611092Z|000000000000002a``.

Clients must take it as opaque (facts: sectigo 1.3). It names the last record of a page by time and by its number in
the store, in plain ASCII whatever a record's own id looks like, so it is safe in a header and exact among ties.
"""

from __future__ import annotations

from dataclasses import dataclass

from local_dynatrace.kernel import rfc3339


@dataclass(frozen=True)
class Cursor:
    at_us: int
    number: int

    def __str__(self) -> str:
        return f"{rfc3339.from_us(self.at_us)}|{self.number:016x}"


def parse(text: str) -> Cursor:
    """Raises ValueError for anything this server did not write."""
    time, _, number = text.partition("|")
    cursor = Cursor(rfc3339.parse_ns(time) // 1000, int(number, 16))
    if str(cursor) != text or cursor.number >= 2**63:
        raise ValueError("not written by this server")
    return cursor
