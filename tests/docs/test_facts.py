"""Every reference to a fact leads to a section of docs/facts, and every source key is explained there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import ROOT
from tests.docs.pages import name, text

FACTS = ROOT / "docs" / "facts"
PAGES = {page.stem: page for page in sorted(FACTS.glob("*.md")) if page.name != "README.md"}
KEYS = re.findall(r"^\| ([A-Z]{2,}|[A-Z]-[A-Z]) \| ", text(FACTS / "README.md"), re.MULTILINE)
MENTION = re.compile(r"\b[Ff]acts:")
SECTIONS = r"[a-z-]+ \d+(?:\.\d+)?(?:, \d+(?:\.\d+)?)*"
REFERENCE = re.compile(rf"\bfacts: ({SECTIONS}(?:; {SECTIONS})*)")
"""``facts: dynatrace-api 5.2, 5.4; dynatrace-runtime 6``."""
THREAD = re.compile(r"\b([A-Z]{2,3})#\d+")


def sources() -> list[Path]:
    """Every tracked file that may refer to a fact, but for this one."""
    patterns = ["*.py", "*.js", "*.ts", "*.yaml", "*.html"]
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / line for line in listed.stdout.splitlines()]
    return [file for file in files if file.is_file() and file != Path(__file__)]


FILES = [file for file in sources() if MENTION.search(text(file))]


def headings(page: Path) -> set[str]:
    """Numbers of the headings: ``## 5. Automation`` is 5, ``### 5.1 Workflows`` is 5.1."""
    return set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", text(page), re.MULTILINE))


def pairs(reference: str) -> list[tuple[str, str]]:
    """Page and section of each part: ``a 5.2, 5.4; b 6`` is (a, 5.2), (a, 5.4), (b, 6)."""
    parts = [part.split(" ", 1) for part in reference.split("; ")]
    return [(page, number) for page, numbers in parts for number in numbers.split(", ")]


def test_the_code_refers_to_facts() -> None:
    assert len(FILES) > 40


@pytest.mark.parametrize("file", FILES, ids=name)
def test_each_reference_leads_to_a_section(file: Path) -> None:
    one_line = re.sub(r"\n\s*(?:#|//|\*)?\s*", " ", text(file))
    references = REFERENCE.findall(one_line)
    assert len(references) == len(MENTION.findall(one_line)), "write page and section, like facts: dynatrace-api 5.2"
    for page, number in (pair for reference in references for pair in pairs(reference)):
        assert page in PAGES, f"there is no docs/facts/{page}.md"
        assert number in headings(PAGES[page]), f"docs/facts/{page}.md has no section {number}"


def test_each_key_is_explained_once() -> None:
    assert KEYS and len(KEYS) == len(set(KEYS))


@pytest.mark.parametrize("page", PAGES.values(), ids=name)
def test_the_sources_of_a_page_are_explained(page: Path) -> None:
    content = text(page)
    marked = re.findall(r"\(([A-Z][\w#, -]*?) \[[VT]\]", content)
    named = {key for group in marked for key in re.findall(r"\b([A-Z]{2,}|[A-Z]-[A-Z])\b", group)}
    assert named, "no source is named"
    assert named | set(THREAD.findall(content)) <= set(KEYS)


def test_the_sources_of_routes_are_explained() -> None:
    """``source=`` of a route names keys of the table, or says in words where the contract comes from."""
    found = {
        source
        for file in (ROOT / "simulator").rglob("*.py")
        for source in re.findall(r'\bsource="([^"]*)"', text(file))
    }
    assert found
    for source in found:
        named = set(re.findall(r"(?<![\w-])([A-Z]{2,3}(?:-[A-Z])?)(?=[,;#)]|$)", source))
        assert named <= set(KEYS), source


@pytest.mark.parametrize("file", [file for file in sources() if THREAD.search(text(file))], ids=name)
def test_the_repository_of_a_thread_is_in_the_table(file: Path) -> None:
    assert set(THREAD.findall(text(file))) <= set(KEYS)
