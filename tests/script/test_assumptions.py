"""Each assumption of the sync script has one label: in the docs' table, at its rule, and in the name of its test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dev.link import SOURCES
from tests import ROOT

PAGE = (ROOT / "docs" / "how-the-sync-script-works.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parent
LABELS = [f"L{number}" for number in range(1, 30)]
LABEL = re.compile(r"\bL\d+\b")
TEST_NAME = re.compile(r'^(?:def (test_\w+)|\s*Deno\.test\([`"](.+?)[`"],)', re.MULTILINE)


def rows() -> dict[str, set[str]]:
    """By label: the files of tests that its rows name."""
    table = PAGE.split("## Assumptions")[1].split("\n## ")[0]
    found: dict[str, set[str]] = {}
    for label, rest in re.findall(r"^\| (L\d+) \|(.*)\|$", table, re.MULTILINE):
        found.setdefault(label, set()).update(re.findall(r"`(\w+\.(?:py|js))`", rest.rsplit("|", 1)[1]))
    return found


def commented() -> set[str]:
    """Labels in the comments of the script's modules."""
    comments = re.compile(r"//.*|/\*.*?\*/", re.DOTALL)
    texts = [file.read_text(encoding="utf-8") for file in SOURCES.glob("*.js")]
    return {label for text in texts for comment in comments.findall(text) for label in LABEL.findall(comment)}


def labels_of_tests() -> dict[str, set[str]]:
    """By file of tests: the labels in its tests' names."""
    files = [*TESTS.glob("test_*.py"), *TESTS.glob("javascript/*_test.js")]
    return {
        file.name: {
            label
            for names in TEST_NAME.findall(file.read_text(encoding="utf-8"))
            for label in re.findall(r"(?<![A-Za-z0-9])L\d+(?![0-9])", "".join(names).replace("_", " "))
        }
        for file in files
    }


def test_the_table_the_comments_and_the_tests_know_the_same_labels() -> None:
    assert sorted(rows(), key=lambda label: int(label[1:])) == LABELS
    assert commented() == set(LABELS)
    assert set().union(*labels_of_tests().values()) == set(LABELS)


@pytest.mark.parametrize("label", LABELS)
def test_the_tests_that_a_row_names_have_its_label(label: str) -> None:
    names = labels_of_tests()
    assert rows()[label], "a row without a test"
    assert {file for file in rows()[label] if label not in names.get(file, set())} == set()
