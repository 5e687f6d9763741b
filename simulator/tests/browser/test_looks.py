"""Every page in Chromium, light and dark, wide and narrow, full and empty; for eyes, keyboards and screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local_dynatrace.testing import Local

from .addresses import pages
from .conftest import picture, tab

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = [("light", 1280), ("dark", 1280), ("light", 400), ("dark", 400)]
LOOKED_AT_CLOSELY = SIZES[0], SIZES[3]
"""Both palettes and both layouts, once each, as axe takes its time."""
NOT_FOUND = "the server responded with a status of 404"
"""What the console says of the page that is not there."""
EMPTY = {
    "overview": "No record has arrived.",
    "connector": "make up deploys one",
    "executions": "Nothing has run yet.",
    "logs": "No record matches.",
    "requests": "No request yet.",
    "controls": "No connector is deployed",
}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSABLE = "a[href], button:not(:disabled), input, select, textarea, summary, [tabindex='0']"
FOCUSED = """() => {
  const element = document.activeElement, box = element.getBoundingClientRect(), style = getComputedStyle(element);
  return {
    what: element.outerHTML.slice(0, 120),
    body: element === document.body,
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    clear: element.closest("header") !== null || element.contains(document.elementFromPoint(
      Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1), Math.min(Math.max(box.y + 8, 1), innerHeight - 1))),
  };
}"""


def violations(page: Page) -> list[str]:
    """What axe finds, by rule and element."""
    from axe_playwright_python.sync_playwright import Axe

    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize(("scheme", "width"), SIZES)
def test_every_page_fits_its_window_and_is_accessible(chromium: Browser, lived: Local, scheme: str, width: int) -> None:
    problems = []
    with tab(chromium, lived, scheme=scheme, width=width, allowed=NOT_FOUND) as page:
        for name, path in pages(lived).items():
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == (404 if name == "missing" else 200)
            picture(page, f"{name}-{scheme}-{width}")
            problems += [f"{name}: {over} px too wide" for over in [page.evaluate(OVERFLOW)] if over]
            if (scheme, width) in LOOKED_AT_CLOSELY:
                problems += [f"{name}: {each}" for each in violations(page)]
    assert problems == []


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 400)])
def test_every_page_of_an_empty_environment_says_what_is_to_come(
    chromium: Browser, fresh: Local, scheme: str, width: int
) -> None:
    problems = []
    with tab(chromium, fresh, scheme=scheme, width=width, allowed=NOT_FOUND) as page:
        for name, path in pages(fresh).items():
            page.goto(path)
            picture(page, f"empty-{name}-{scheme}-{width}")
            problems += [f"{name}: {over} px too wide" for over in [page.evaluate(OVERFLOW)] if over]
            problems += [f"{name}: {each}" for each in (violations(page) if scheme == "light" else [])]
            if name in EMPTY:
                assert EMPTY[name] in page.locator("main").inner_text()
    assert problems == []


@pytest.mark.parametrize("name", ["overview", "connector", "controls", "leg", "requests", "vault"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(chromium: Browser, lived: Local, name: str) -> None:
    with tab(chromium, lived) as page:
        page.goto(pages(lived)[name])
        expected = page.locator(FOCUSABLE).count() - page.locator("details:not([open]) form button").count()
        reached = 0
        while reached <= expected:
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused["body"]:
                break
            reached += 1
            assert focused["outline"] and focused["seen"] and focused["clear"], focused["what"]
        assert reached == expected


def test_the_first_key_leads_past_the_navigation(chromium: Browser, lived: Local) -> None:
    with tab(chromium, lived) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_narrow_navigation_shows_where_one_is(chromium: Browser, lived: Local) -> None:
    with tab(chromium, lived, width=400) as page:
        page.goto("/_sim/ui/controls")
        box = page.locator("nav [aria-current=page]").bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 400
