"""The documentation's files, and what of them is text, code and link."""

from __future__ import annotations

import re
from pathlib import Path

from tests import ROOT

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("docs/examples/**/*.md"),
        ROOT / "simulator" / "README.md",
    ]
)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links(page: Path) -> list[str]:
    """Targets of the page's links and pictures, those in code blocks left out."""
    without_code = re.sub(r"^```.*?^```", "", text(page), flags=re.DOTALL | re.MULTILINE)
    return [a or b for a, b in LINK.findall(without_code)]


def anchors(page: Path) -> set[str]:
    """Anchors of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+\s+(.*?)\s*$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(page: Path) -> str:
    """What a reader would type or paste: code blocks and inline code."""
    content = text(page)
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", content, re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", content)])
