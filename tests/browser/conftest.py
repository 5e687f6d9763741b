"""The local environment with the dev stack in it, for the pages in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from local_dynatrace.testing import Local
from simulator.tests.browser.chromium import chromium

from . import story

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def lived(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The environment of the whole story, to look at."""
    local = story.told(tmp_path_factory.mktemp("story"))
    yield local
    local.close()


@pytest.fixture(scope="module")
def at_work(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A deployed connector, to break and to repair."""
    local = story.deployed(tmp_path_factory.mktemp("deployed"))
    yield local
    local.close()
