"""A real Chromium for the pages. Without one these tests are skipped, which REQUIRE_BROWSER=1 makes a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dev.toolchain import browser as browsers
from local_dynatrace.testing import Local

from .. import ROOT
from . import story

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = ROOT / "build" / "pictures"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = browsers.find()
    if isinstance(found, str):
        reason = f"no browser, so the pages are not tested in one ({found}): `make browser`"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lived(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The environment of the whole story, to look at."""
    local = story.told(tmp_path_factory.mktemp("story"))
    yield local
    local.close()


@pytest.fixture(scope="session")
def at_work(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A deployed connector, to break and to repair."""
    local = story.deployed(tmp_path_factory.mktemp("deployed"))
    yield local
    local.close()


@pytest.fixture(scope="session")
def fresh(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """An environment in which nothing has happened."""
    local = Local(tmp_path_factory.mktemp("fresh"))
    yield local
    local.close()


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
