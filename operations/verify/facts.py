"""The claims that ``verify`` checks, each with the line to change if it is refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .probe import Probe

Verdict = Literal["confirmed", "REFUTED", "not checked"]
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Line:
    """One line of this repository: the one with this text."""

    file: str
    text: str

    @property
    def shown(self) -> str:
        """``providers/api/vault.py:158``; without a number where the text is not found (an edited checkout)."""
        path = ROOT / self.file
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        number = next((number for number, line in enumerate(lines, 1) if self.text in line), None)
        return f"{self.file}:{number}" if number else self.file


@dataclass(frozen=True)
class Fact:
    """``page``: section of docs/facts where it is written down."""

    name: str
    claim: str
    page: str
    change: Line


class Refuted(Exception):
    """The environment behaves otherwise; the text says how."""


class NotChecked(Exception):
    """The check could not be made; the text says why."""


Check = Callable[["Probe"], str]
"""Returns a note, or empty. Raises Refuted or NotChecked; any other failure counts as not checked."""
CHECKS: dict[str, tuple[Fact, Check]] = {}
"""All checks by name, in the order of the report; the modules of checks fill it."""


def checks(name: str, claim: str, page: str, file: str, line: str) -> Callable[[Check], Check]:
    """Register a check."""

    def register(check: Check) -> Check:
        CHECKS[name] = (Fact(name, claim, page, Line(file, line)), check)
        return check

    return register


def expect(truth: bool, otherwise: str) -> None:
    if not truth:
        raise Refuted(otherwise)
