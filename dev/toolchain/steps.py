"""The steps of the setup, in order: virtual environment, Python packages, JavaScript packages, engine."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType

from . import engine_build, engine_search, machine, packages
from .errors import SetupError
from .locks import locked
from .packages import ROOT
from .progress import Progress, elapsed
from .stamps import Stamps, digest, identity

FOLDER = ROOT / ".local" / "setup"
ENGINE_PATH = FOLDER / "engine-path"
"""The folder of the engine that goes on PATH; empty: the user's own, which is there already."""


class Setup:
    """What one set of packages needs (``packages.LOCKS`` names the sets)."""

    def __init__(self, progress: Progress, stamps: Stamps, cache: Path, wanted: str = "test") -> None:
        self.progress, self.stamps, self.cache, self.wanted = progress, stamps, cache, wanted

    # what each step depends on; equal to its stamp = nothing to do

    def engine_inputs(self) -> str:
        theirs = engine_search.users_pulumi(self.cache)
        chosen = ENGINE_PATH.read_text(encoding="utf-8").strip() if ENGINE_PATH.is_file() else "none"
        return digest(
            identity(theirs) if theirs else "none on PATH",
            f"{chosen} {engine_search.complete(Path(chosen))}" if chosen else "the user's",
            engine_build.folder_name(),
            str(engine_search.REQUIRED),
        )

    def python_done(self) -> bool:
        return self.stamps.fresh(f"python-{self.wanted}", packages.python_inputs(self.wanted))

    def javascript_done(self) -> bool:
        return not packages.javascript_folders(self.wanted) or self.stamps.fresh(
            f"javascript-{self.wanted}", packages.javascript_inputs(self.wanted)
        )

    def engine_done(self) -> bool:
        return self.stamps.fresh("engine", self.engine_inputs())

    def done(self) -> bool:
        return self.python_done() and self.javascript_done() and self.engine_done()

    # the steps

    def run(self) -> None:
        missing = machine.missing()
        if missing:
            raise SetupError(f"missing on this machine: {', '.join(missing)}")
        if not self.python_done():
            self.python()
        if not self.javascript_done():
            self.javascript()
        if not self.engine_done():
            self.engine()

    def python(self) -> None:
        self.forget("python")
        if not packages.usable_venv():
            with self.progress.step("python", "making .venv") as step:
                packages.make_venv(step)
        count = len(packages.pins(*packages.locks(self.wanted)))
        with self.progress.step("packages", f"installing {count} Python packages") as step:
            packages.install_packages(step, self.wanted)
        for name in packages.smaller(self.wanted):
            self.stamps.write(f"python-{name}", packages.python_inputs(name))

    def javascript(self) -> None:
        self.forget("javascript")
        with self.progress.step("javascript", "installing the Dynatrace SDK") as step:
            packages.install_javascript(step, self.wanted)
        for name in packages.smaller(self.wanted):
            self.stamps.write(f"javascript-{name}", packages.javascript_inputs(name))

    def forget(self, step: str) -> None:
        """Drop a step's stamps before it begins: an interrupted step must not look finished."""
        for name in packages.LOCKS:
            self.stamps.drop(f"{step}-{name}")

    def engine(self) -> None:
        self.stamps.drop("engine")
        cache, log = self.cache / "engine", FOLDER / "go-build.log"
        with (
            self.progress.step("engine", "looking for a Pulumi engine") as step,
            locked(cache / "lock", step.note),
        ):
            engine_build.remove_leftovers(cache)
            attempts: list[engine_search.Attempt] = [
                partial(engine_search.on_path, self.cache),
                partial(engine_search.in_cache, cache),
                partial(engine_search.official_installer, cache, step),
                partial(engine_search.from_go_modules, cache, log, step),
            ]
            engine = engine_search.choose(engine_search.noted(step, attempts))
            step.done = f"pulumi {engine.version.removeprefix('v')}, {engine.origin}"
            ENGINE_PATH.write_text(f"{engine.folder or ''}\n", encoding="utf-8")
        self.stamps.write("engine", self.engine_inputs())


def set_up(wanted: str = "test", progress: Progress | None = None) -> int:
    """Do what is missing for a set of packages; returns the exit code."""
    progress = progress or Progress()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupted)
    began = progress.now()
    setup = Setup(progress, Stamps(FOLDER), machine.cache_folder(), wanted)
    try:
        if setup.done():
            return 0
        with locked(FOLDER / "lock", lambda text: progress.write(f"setup: {text}\n")):
            if setup.done():
                return 0
            progress.write("Setup\n")
            setup.run()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.clear()
        print("setup: interrupted; run the same command to continue", file=sys.stderr)
        return 130
    progress.write(f"Setup done in {elapsed(progress.now() - began)}\n\n")
    return 0


def _interrupted(number: int, frame: FrameType | None) -> None:
    # Handled like Ctrl-C: commands are ended, scratch folders removed.
    raise KeyboardInterrupt
