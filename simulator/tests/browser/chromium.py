"""A real Chromium for the pages. Without one these tests are skipped, which REQUIRE_BROWSER=1 makes a failure."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local_dynatrace.testing import Local

from .. import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = ROOT / "build" / "pictures"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowserError(Exception):
    """Why there is no browser."""


@contextmanager
def launched() -> Iterator[Browser]:
    """The Chromium on PATH, else Playwright's own. Raises NoBrowserError."""
    try:
        api = importlib.import_module("playwright.sync_api")
    except ModuleNotFoundError:
        raise NoBrowserError("the package playwright is not installed") from None
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=arguments)
        except api.Error as error:
            raise NoBrowserError(str(error).splitlines()[0]) from None
        yield browser
        browser.close()


# Not for the whole run: while Playwright is at work, no second Playwright and no asyncio.run can start.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    try:
        with launched() as browser:
            yield browser
    except NoBrowserError as missing:
        reason = f"no browser, so the pages are not tested in one ({missing}): `make browser`"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def tab(
    chromium: Browser, local: Local, *, scheme: str = "light", width: int = 1280, allowed: str = "", **more: Any
) -> Iterator[Page]:
    """A page on the environment's address. Nothing may come from elsewhere, and its console has to stay silent (save
    for lines that hold ``allowed``).
    """
    context = chromium.new_context(
        base_url=local.url,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        **more,
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(local.url) else wrong.append(request.url))
    page.set_default_timeout(10_000)
    yield page
    context.close()
    assert [each for each in wrong if not allowed or allowed not in each] == []


def picture(page: Page, name: str) -> Path:
    PICTURES.mkdir(parents=True, exist_ok=True)
    file = PICTURES / f"{name}.png"
    page.screenshot(path=file, full_page=True)
    return file
