"""Every page in Chromium, light and dark, wide and narrow, full and empty; for eyes, keyboards and screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_dynatrace.testing import Local

from .addresses import pages
from .chromium import tab
from .looks import LOOKED_AT_CLOSELY, SIZES, problems, walk_by_keyboard

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

EMPTY = {
    "overview": "No record has arrived.",
    "connector": "make up deploys one",
    "executions": "Nothing has run yet.",
    "logs": "No record matches in the last 2 h.",
    "requests": "No request yet.",
    "controls": "No connector is deployed",
}


@pytest.mark.parametrize(("scheme", "width"), SIZES)
def test_every_page_fits_its_window_and_is_accessible(chromium: Browser, used: Local, scheme: str, width: int) -> None:
    closely = (scheme, width) in LOOKED_AT_CLOSELY

    found, _ = problems(chromium, used, scheme, width, prefix="used-", closely=closely)

    assert found == []


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 400)])
def test_every_page_of_an_empty_environment_says_what_is_to_come(
    chromium: Browser, fresh: Local, scheme: str, width: int
) -> None:
    found, texts = problems(chromium, fresh, scheme, width, prefix="empty-", closely=scheme == "light")

    assert found == []
    assert [name for name, text in EMPTY.items() if text not in texts[name]] == []


@pytest.mark.parametrize("name", ["overview", "controls", "requests", "vault", "execution", "dashboard-board"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(chromium: Browser, used: Local, name: str) -> None:
    with tab(chromium, used) as page:
        page.goto(pages(used)[name])
        walk_by_keyboard(page)


def test_the_first_key_leads_past_the_navigation(chromium: Browser, used: Local) -> None:
    with tab(chromium, used) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_narrow_navigation_shows_where_one_is(chromium: Browser, used: Local) -> None:
    with tab(chromium, used, width=400) as page:
        page.goto("/_sim/ui/controls")
        box = page.locator("nav [aria-current=page]").bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 400
