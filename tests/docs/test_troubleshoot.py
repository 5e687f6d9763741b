"""docs/troubleshoot.md knows every error class and every word of the script's, and quotes no message nothing prints."""

from __future__ import annotations

import re

import pytest

from operations.reconcile.grail import TooManyError
from operations.scm import ScmError
from operations.stack import StackError
from operations.verify.facts import NotChecked, Refuted
from providers.api import errors
from tests import ROOT
from tests.docs.pages import text
from tests.docs.script_messages import messages

PAGE = text(ROOT / "docs" / "troubleshoot.md")
CLASSES = [
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.DynatraceError)
]
OPERATIONS = [StackError.__name__, ScmError.__name__]
INTERNAL = {TooManyError.__name__, NotChecked.__name__, Refuted.__name__}
"""Caught by their own packages: nobody reads them."""
ROW = re.compile(r"^\| (.*?) \| .* \| .* \|$", re.MULTILINE)
LEAST = 6
"""Pieces shorter than this prove nothing."""


def sources() -> str:
    """All message texts, with those that are written over several lines joined."""
    files = [
        *(ROOT / "providers").rglob("*.py"),
        *(ROOT / "operations").rglob("*.py"),
        ROOT / "workflow_src" / "check.py",
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


def test_no_error_class_of_the_commands_is_forgotten() -> None:
    files = (ROOT / "operations").rglob("*.py")
    defined = {
        name for file in files for name in re.findall(r"^class (\w+)\(\w*(?:Error|Exception)\)", text(file), re.M)
    }
    assert defined == {*OPERATIONS, *INTERNAL}


def quoted_in(section: str) -> list[str]:
    """The fixed words of what the rows of a section quote."""
    quotes = [quote for cell in ROW.findall(section) for quote in re.findall(r"`([^`]+)`", cell)]
    return [piece.strip() for quote in quotes for piece in quote.split("…") if len(piece.strip()) >= LEAST]


@pytest.mark.parametrize("message", messages(text(ROOT / "workflow_src" / "sync.js")))
def test_what_the_script_says_has_a_row(message: str) -> None:
    """Failures, stops and warnings: at least one piece of each is quoted where a run's log is explained."""
    section = PAGE.split("## In a run's log")[1].split("\n## ")[0]
    assert any(piece in message for piece in quoted_in(section)), f"docs/troubleshoot.md does not explain: {message}"


def test_the_words_of_the_script_are_read_past_brackets_and_expressions() -> None:
    source = (
        """warn(run, `a ${f(")", `${x}`)} wide`); new Failure("is it (open?" + 'yes:' + `${y}`); console.warn("none")"""
    )
    assert messages(source) == ["a … wide", "is it (open?yes:…"]


@pytest.mark.parametrize("name", [*CLASSES, *OPERATIONS])
def test_every_error_class_has_a_section(name: str) -> None:
    assert re.search(rf"^### {name}$", PAGE, re.MULTILINE), f"docs/troubleshoot.md says nothing of {name}"


@pytest.mark.parametrize("message", QUOTED)
def test_every_quoted_message_stands_in_the_sources(message: str) -> None:
    assert message in SOURCES, f"nothing prints “{message}” any more"


@pytest.mark.parametrize(
    "name",
    [*[name for name in CLASSES if name not in ("DynatraceError", "ApiError", "NotFound", "Conflict")], *OPERATIONS],
)
def test_sections_quote_what_their_class_says(name: str) -> None:
    """The first sentence of each ``raise`` is found in the class's own section."""
    section = re.split(rf"^### {name}$", PAGE, flags=re.MULTILINE)[1].split("\n#")[0]
    pieces = quoted_in(section)
    raised = re.findall(rf"\b{name}\(\s*f?(\"[^\n]*)", SOURCES)
    assert pieces and raised
    for message in raised:
        known = any(piece in message for piece in pieces)
        assert known or "{VARIABLE}" in message, message
