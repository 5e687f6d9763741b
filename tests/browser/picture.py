"""``python -m tests.browser.picture``: make the pictures of pages in docs/pictures."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from local_dynatrace.testing import Local
from simulator.tests.browser.addresses import pages
from simulator.tests.browser.chromium import NoBrowserError, launched, tab

from .. import ROOT
from . import story

FOLDER = ROOT / "docs" / "pictures"


def shown(local: Local) -> dict[str, tuple[str, int]]:
    """Name -> path and height in pixels."""
    found = pages(local)
    board = next(path for name, path in found.items() if name.startswith("dashboard-"))
    return {
        "connector": ("/_sim/ui/connector?range=2h", 846),
        "dashboard": (f"{board}?from=now()-90m", 1120),
        "problem": (found["problem"], 900),
    }


def main() -> int:
    try:
        with tempfile.TemporaryDirectory() as folder, launched() as browser:
            local = story.told(Path(folder))
            try:
                with tab(browser, local) as page:
                    for name, (path, height) in shown(local).items():
                        page.goto(path)
                        clip = {"x": 0, "y": 0, "width": 1280, "height": height}
                        page.screenshot(path=FOLDER / f"{name}.png", clip=clip, full_page=True)
                        print(f"{name}.png: {(FOLDER / name).with_suffix('.png').stat().st_size // 1024} kB")
            finally:
                local.close()
    except NoBrowserError as missing:
        print(f"picture: {missing}: make browser", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
