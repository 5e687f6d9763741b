"""``python -m tests.browser.picture``: make docs/pictures/connector.png, the picture of the README."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from simulator.tests.browser.chromium import NoBrowserError, launched, tab

from .. import ROOT
from . import story

PICTURE = ROOT / "docs" / "pictures" / "connector.png"


def main() -> int:
    try:
        with tempfile.TemporaryDirectory() as folder, launched() as browser:
            local = story.told(Path(folder))
            try:
                with tab(browser, local) as page:
                    page.goto("/_sim/ui/connector?range=2h")
                    PICTURE.parent.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=PICTURE, clip={"x": 0, "y": 0, "width": 1280, "height": 846}, full_page=True)
            finally:
                local.close()
    except NoBrowserError as missing:
        print(f"picture: {missing}: make browser", file=sys.stderr)
        return 1
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
