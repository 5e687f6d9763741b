"""``python -m dev.toolchain.browser``: a Chromium for the tests of the pages, and the packages that drive it.

One of this machine is taken; else Playwright's own is fetched; else Debian's package is installed, the only system
package that any command of this repository installs.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from .commands import Finished, run
from .errors import SetupError
from .packages import LOCKS, ROOT, install_packages, pins
from .progress import Progress, Step

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LAUNCHES = """
import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    path = sys.argv[1] if len(sys.argv) > 1 else playwright.chromium.executable_path
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=path, args=arguments, timeout=15_000)
    print(browser.version, path)
    browser.close()
"""
UNREACHABLE_S = 20
"""Playwright says every tenth how far its download is; silence for so long, and nobody is there."""
SILENT_DOWNLOAD_S = 120
"""The same once it has begun."""
Attempt = Callable[[], Path | str]
"""A browser that starts, or the sentence that says why there is none."""


def works(path: Path | None = None) -> Path | str:
    """Start a browser (Playwright's own without a path) and end it."""
    done = run([sys.executable, "-c", LAUNCHES, *([path] if path else [])], cwd=ROOT)
    name = path or "Playwright's own browser"
    if not done.ok:
        reason = next((line.strip() for line in done.lines if "rror" in line), done.last())
        return f"{name} does not start: {reason[:160]}"
    return Path(done.last().split(" ", 1)[1])


def on_machine() -> Path | str:
    found = [Path(path) for name in NAMES if (path := shutil.which(name))]
    tried = [works(path) for path in found]
    return next((one for one in tried if isinstance(one, Path)), "; ".join(map(str, tried)) or "no Chromium on PATH")


def playwrights_own() -> Path | str:
    """What an earlier installation by Playwright has left."""
    found = works()
    return found if isinstance(found, Path) else ""


def from_playwright(step: Step) -> Path | str:
    step.doing = "asking Playwright for its Chromium"
    heard = Silence()
    done = run(
        [sys.executable, "-m", "playwright", "install", "chromium", "--no-shell"],
        env={**os.environ, "NO_COLOR": "1"},
        alive=step.alive,
        on_line=heard.line,
        stalled=heard.too_long,
    )
    if done.code is None:
        return f"Playwright's own Chromium: no answer within {UNREACHABLE_S} s"
    return works() if done.ok else f"Playwright's own Chromium: {said(done)}"


class Silence:
    """How long a command has said nothing; a slow line may take its time, a dead one may not."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now, self.last, self.downloading = now, now(), False

    def line(self, text: str) -> None:
        self.last, self.downloading = self.now(), self.downloading or "%" in text

    def too_long(self) -> bool:
        return self.now() - self.last > (SILENT_DOWNLOAD_S if self.downloading else UNREACHABLE_S)


def from_debian(step: Step) -> Path | str:
    if not shutil.which("apt-get"):
        return "no apt-get on this machine"
    if os.geteuid() and not shutil.which("sudo"):
        return "Debian's package chromium needs root: apt-get install chromium"
    step.doing = "installing Debian's package chromium"
    # -n: without a password prompt, which nobody would answer here.
    first = [] if os.geteuid() == 0 else ["sudo", "-n"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = run([*first, "apt-get", "-q", *words], env=env, alive=step.alive)
        if not done.ok:
            return f"apt-get {words[0]}: {said(done)}"
    return on_machine()


def said(done: Finished) -> str:
    """The first line that sounds like a reason, else the last one."""
    lines = [line.strip() for line in done.lines if line.strip()]
    return next((line for line in lines if line.lower().startswith(("error", "e:"))), done.last() or "failed")[:160]


def choose(attempts: Iterable[Attempt], note: Callable[[str], None]) -> Path:
    for attempt in attempts:
        found = attempt()
        if isinstance(found, Path):
            return found
        if found:
            note(found)
    raise SetupError("no browser, see above; install Chromium or Chrome, then run the command again")


def find() -> Path | str:
    """A browser that is here already, or why there is none; installs nothing."""
    if not installed():
        return "the packages of dev/requirements-browser.txt are not installed; `make browser` installs them"
    found = on_machine()
    return found if isinstance(found, Path) else playwrights_own() or found


def installed() -> bool:
    """Whether this environment holds the packages that drive the browser, as pinned."""
    return all(version_of(name) == version for name, version in pins(LOCKS["browser"]).items())


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def main() -> int:
    progress = Progress()
    try:
        if not installed():
            with progress.step("packages", "installing Playwright and axe") as step:
                install_packages(step, "browser")
        with progress.step("browser", "looking for a Chromium") as step:
            attempts: list[Attempt] = [
                on_machine,
                playwrights_own,
                lambda: from_playwright(step),
                lambda: from_debian(step),
            ]
            step.done = str(choose(attempts, step.note))
    except SetupError as error:
        print(f"browser: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
