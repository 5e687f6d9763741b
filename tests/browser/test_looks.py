"""Every page of an environment with a deployed connector in Chromium; for eyes, keyboards and screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_dynatrace.testing import Local
from simulator.tests.browser.addresses import pages
from simulator.tests.browser.chromium import tab
from simulator.tests.browser.looks import LOOKED_AT_CLOSELY, SIZES, problems, walk_by_keyboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("scheme", "width"), SIZES)
def test_every_page_fits_its_window_and_is_accessible(chromium: Browser, lived: Local, scheme: str, width: int) -> None:
    found, _ = problems(chromium, lived, scheme, width, closely=(scheme, width) in LOOKED_AT_CLOSELY)

    assert found == []


@pytest.mark.parametrize("name", ["overview", "connector", "controls", "leg", "requests", "vault"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(chromium: Browser, lived: Local, name: str) -> None:
    with tab(chromium, lived) as page:
        page.goto(pages(lived)[name])
        walk_by_keyboard(page)
