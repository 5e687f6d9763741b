"""The browser for the tests of the pages: which one is taken, and when a download is given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import ROOT
from dev.tests.files import executable
from dev.toolchain import browser
from dev.toolchain.errors import SetupError


def test_the_first_browser_that_starts_is_taken_and_the_reasons_before_it_are_reported() -> None:
    told: list[str] = []

    def never() -> Path | str:
        raise AssertionError("tried although a browser had been found")

    found = browser.choose(
        [lambda: "no Chromium on PATH", lambda: "", lambda: Path("/bin/chromium"), never], told.append
    )

    assert (found, told) == (Path("/bin/chromium"), ["no Chromium on PATH"])


def test_without_any_browser_the_error_says_what_to_install() -> None:
    with pytest.raises(SetupError, match="install Chromium or Chrome"):
        browser.choose([lambda: "no Chromium on PATH"], lambda text: None)


def test_a_browser_that_does_not_start_is_not_taken(only_path: Path) -> None:
    executable(only_path / "chromium", "#!/bin/sh\necho 'error: the snap is missing' >&2\nexit 1\n")

    found = browser.on_machine()

    assert isinstance(found, str)
    assert found.startswith(f"{only_path}/chromium does not start: ")


def test_a_download_that_lives_may_be_slow_and_a_silent_one_ends() -> None:
    time = [0.0]
    heard = browser.Silence(lambda: time[0])

    time[0] = 19
    assert not heard.too_long()
    time[0] = 21
    assert heard.too_long()
    heard.line("|====    |  10% of 180 MiB")
    time[0] = 100
    assert not heard.too_long()
    time[0] = 150
    assert heard.too_long()


def test_the_ci_machine_gets_a_browser_first_and_lets_no_page_test_be_skipped() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()

    assert lines.index("make browser") < lines.index("export REQUIRE_BROWSER=1") < lines.index("exec make test")
