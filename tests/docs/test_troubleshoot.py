"""docs/troubleshoot.md knows every error class, and quotes no message that nothing prints."""

from __future__ import annotations

import re

import pytest

from providers.api import errors
from tests.docs.pages import text
from tests.local import ROOT

PAGE = text(ROOT / "docs" / "troubleshoot.md")
CLASSES = [
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.DynatraceError)
]
ROW = re.compile(r"^\| (.*?) \| .* \| .* \|$", re.MULTILINE)
LEAST = 6
"""Pieces shorter than this prove nothing."""


def sources() -> str:
    """All message texts, with those that are written over several lines joined."""
    files = [
        *(ROOT / "providers").rglob("*.py"),
        *(ROOT / "operations").rglob("*.py"),
        ROOT / "workflow_src" / "sync.js",
    ]
    joined = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r'"\s*\n\s*f?"', "", joined)


SOURCES = sources()
QUOTED = [
    piece.strip(" `")
    for cell in ROW.findall(PAGE)
    for quote in re.findall(r"`([^`]+)`", cell)
    for piece in quote.split("…")
    if len(piece.strip(" `")) >= LEAST and not piece.startswith("make ")
]


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_class_has_a_section(name: str) -> None:
    assert re.search(rf"^### {name}$", PAGE, re.MULTILINE), f"docs/troubleshoot.md says nothing of {name}"


@pytest.mark.parametrize("message", QUOTED)
def test_every_quoted_message_stands_in_the_sources(message: str) -> None:
    assert message in SOURCES, f"nothing prints “{message}” any more"


@pytest.mark.parametrize(
    "name", [name for name in CLASSES if name not in ("DynatraceError", "ApiError", "NotFound", "Conflict")]
)
def test_sections_quote_what_their_class_says(name: str) -> None:
    """The first sentence of each ``raise`` is found in the class's own section."""
    section = re.split(rf"^### {name}$", PAGE, flags=re.MULTILINE)[1].split("\n#")[0]
    quoted = [quote for cell in ROW.findall(section) for quote in re.findall(r"`([^`]+)`", cell)]
    raised = re.findall(rf"{name}\(\s*f?(\"[^\n]*)", SOURCES)
    assert quoted and raised
    for message in raised:
        pieces = [piece for quote in quoted for piece in quote.split("…") if len(piece.strip()) >= LEAST]
        known = any(piece.strip() in message for piece in pieces)
        assert known or "{VARIABLE}" in message, message
