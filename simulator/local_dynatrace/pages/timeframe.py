"""The timeframe of a page: what its address asks for, and the choices of the picker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..kernel import rfc3339
from ..kernel.clock import MICROSECONDS

CHOICES = (
    ("30 min", "now()-30m"), ("2 h", "now()-2h"), ("6 h", "now()-6h"), ("24 h", "now()-24h"), ("7 d", "now()-7d"),
    ("30 d", "now()-30d"),
)  # fmt: skip
NOW = "now()"
RELATIVE = re.compile(r"(?:now\(\)\s*)?(-\s*(\d{1,6})\s*(s|m|h|d|w))?")
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True)
class Timeframe:
    from_us: int
    to_us: int
    start: str
    """As it was asked for: ``now()-2h``, or a time in ISO 8601."""
    end: str
    problem: str = ""

    @property
    def until_us(self) -> int:
        """Where queries end, exclusive. Records of this very moment count in: the clock may be frozen."""
        return self.to_us + 1 if self.end.strip() == NOW else self.to_us

    @property
    def query(self) -> dict[str, str]:
        """For the address of a page."""
        return {"from": self.start, "to": self.end}

    @property
    def words(self) -> str:
        known = next((text for text, start in CHOICES if (start, NOW) == (self.start, self.end)), "")
        return f"the last {known}" if known else f"{self.start} to {self.end}"


def of(query: Mapping[str, str], now_us: int, *, default: tuple[str, str] = ("now()-2h", NOW)) -> Timeframe:
    """The timeframe that an address asks for; the default, with a problem, if that cannot be read."""
    start, end = query.get("from") or default[0], query.get("to") or default[1]
    try:
        return between(start, end, now_us)
    except ValueError as problem:
        whole = between("now()-2h", NOW, now_us)
        return Timeframe(whole.from_us, whole.to_us, start, end, str(problem))


def between(start: str, end: str, now_us: int) -> Timeframe:
    """Raises ValueError with the reason."""
    low, high = moment_us(start, now_us), moment_us(end, now_us)
    if low >= high:
        raise ValueError("The timeframe ends before it starts.")
    return Timeframe(low, high, start, end)


def moment_us(text: str, now_us: int) -> int:
    """``now()``, ``now()-24h``, ``-24h``, or ISO 8601 (UTC without an offset). Raises ValueError."""
    stripped = text.strip()
    if stripped and (match := RELATIVE.fullmatch(stripped)):
        return now_us - (int(match[2]) * UNITS_S[match[3]] * MICROSECONDS if match[1] else 0)
    try:
        iso = stripped.replace(" ", "T", 1)
        return rfc3339.parse_ns(f"{iso}T00:00" if len(iso) == 10 else iso, offset_required=False) // 1000
    except ValueError:
        raise ValueError(f"“{text}” is not a time; write now()-24h or 2026-01-29T08:00.") from None


def picker(frame: Timeframe, path: str, keep: list[tuple[str, str]]) -> dict[str, Any]:
    """What the template needs: links of the choices, and the fields of the form (``keep``: the rest of the address)."""
    from urllib.parse import urlencode

    return {
        "path": path,
        "keep": keep,
        "start": frame.start,
        "end": frame.end,
        "problem": frame.problem,
        "choices": [
            (
                text,
                f"{path}?{urlencode([*keep, ('from', start), ('to', NOW)])}",
                (start, NOW) == (frame.start, frame.end),
            )
            for text, start in CHOICES
        ],
    }
