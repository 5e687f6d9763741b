"""Every internal link of the documentation leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import ROOT
from tests.docs.pages import PAGES, anchors, links, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_internal_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    for target in links(page):
        if "://" in target or target.startswith(("mailto:", "${")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name(page)} links to {target}, which is not there"
        assert not anchor or anchor in anchors(file), f"{name(page)} links to {target}: no such heading"


def test_every_page_of_docs_is_reached_from_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target).resolve() for target in links(index)}
    pages = {page for page in PAGES if page.parent == index.parent and page != index}
    assert pages <= listed, sorted(name(page) for page in pages - listed)


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/README.md" in links(ROOT / "README.md")
