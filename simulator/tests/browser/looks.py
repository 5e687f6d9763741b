"""What has to hold for every page, whatever the environment holds: used here and by the root's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_dynatrace.testing import Local

from .addresses import pages
from .chromium import picture, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = [("light", 1280), ("dark", 1280), ("light", 400), ("dark", 400)]
LOOKED_AT_CLOSELY = SIZES[0], SIZES[3]
"""Both palettes and both layouts, once each, as axe takes its time."""
NOT_FOUND = "the server responded with a status of 404"
"""What the console says of the page that is not there."""
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


def problems(
    chromium: Browser, local: Local, scheme: str, width: int, *, prefix: str = "", closely: bool = True
) -> tuple[list[str], dict[str, str]]:
    """Take a picture of every page; what does not fit its window or is not accessible, and the pages' texts by name."""
    found, texts = [], {}
    with tab(chromium, local, scheme=scheme, width=width, allowed=NOT_FOUND) as page:
        for name, path in pages(local).items():
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == (404 if name == "missing" else 200)
            picture(page, f"{prefix}{name}-{scheme}-{width}")
            texts[name] = page.locator("main").inner_text()
            found += [f"{name}: {over} px too wide" for over in [page.evaluate(OVERFLOW)] if over]
            found += [f"{name}: {each}" for each in (violations(page) if closely else [])]
    return found, texts


def walk_by_keyboard(page: Page) -> None:
    """Tab reaches everything that can be used, and shows where it is."""
    expected = page.evaluate(f"[...document.querySelectorAll(`{FOCUSABLE}`)].filter((e) => e.checkVisibility()).length")
    reached = 0
    while reached <= expected:
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["body"]:
            break
        reached += 1
        assert focused["outline"] and focused["seen"] and focused["clear"], focused["what"]
    assert reached == expected
