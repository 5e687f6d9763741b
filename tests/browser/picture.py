"""``python -m tests.browser.picture``: make docs/pictures/connector.png anew, the picture of the README."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from dev.toolchain import browser as browsers

from .. import ROOT
from . import story
from .conftest import tab

PICTURE = ROOT / "docs" / "pictures" / "connector.png"


def main() -> int:
    found = browsers.find()
    if isinstance(found, str):
        print(f"picture: {found}: make browser", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        local = story.told(Path(folder))
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        try:
            with tab(browser, local) as page:
                page.goto("/_sim/ui/connector?range=2h")
                PICTURE.parent.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=PICTURE, clip={"x": 0, "y": 0, "width": 1280, "height": 846}, full_page=True)
        finally:
            browser.close()
            local.close()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
