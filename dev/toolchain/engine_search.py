"""Which Pulumi engine is used: the user's own, one in the cache, the official installer's, or our build."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import engine_build
from .commands import run
from .engine_build import EXECUTABLES, CannotBuildError
from .errors import SetupError
from .machine import version_numbers
from .packages import PYTHON, REQUIREMENTS, pins
from .progress import Step

REQUIRED = (3, 220, 0)
"""``requiredPulumiVersion`` of Pulumi.yaml: what the program and the documented commands need."""
INSTALLATION_PAGE = "https://www.pulumi.com/docs/install/"
UNREACHABLE_S = 20
"""The installer is given up when nothing has arrived for this long."""
INSTALLER_S = 600
"""... and after this long in any case."""

# Runs in the virtual environment, where the SDK is; says in one line why it failed.
INSTALLER = """
import subprocess, sys
from pulumi.automation import PulumiCommand
try:
    PulumiCommand.install(root=sys.argv[1])
except subprocess.CalledProcessError as error:
    lines = [line for line in error.output.decode(errors="replace").splitlines() if line.strip()]
    sys.exit(lines[-1] if lines else f"its script ended with code {error.returncode}")
except OSError as error:
    reason = getattr(error, "reason", error)
    sys.exit(getattr(reason, "strerror", None) or str(reason))
"""


@dataclass(frozen=True)
class Engine:
    version: str
    folder: Path | None
    """Where it is; None: on the user's PATH, nothing of ours."""
    origin: str


Attempt = Callable[[], "Engine | str"]
"""Returns an engine, or in one sentence why there is none this way."""


def choose(attempts: Iterable[Attempt]) -> Engine:
    """The first engine that one of the attempts finds. Raises SetupError, which lists what was tried."""
    tried = []
    for attempt in attempts:
        found = attempt()
        if isinstance(found, Engine):
            return found
        tried.append(found)
    raise SetupError(
        "no Pulumi engine. Tried:\n"
        + "".join(f"  - {sentence}\n" for sentence in tried if sentence)
        + f"Install Pulumi ({INSTALLATION_PAGE}) or Go {engine_build.go_needed()} or newer, then run the command again."
    )


def users_path(cache: Path) -> str:
    """PATH without what we put there ourselves, so that our own engine is never taken for the user's."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not Path(folder).resolve().is_relative_to(cache.resolve()))


def users_pulumi(cache: Path) -> Path | None:
    found = shutil.which("pulumi", path=users_path(cache))
    return Path(found) if found else None


def on_path(cache: Path, version_of: Callable[[Path], str] | None = None) -> Engine | str:
    """A pulumi that the user has installed, if it is new enough and complete."""
    pulumi = users_pulumi(cache)
    if not pulumi:
        return "no pulumi on PATH"
    version = (version_of or asked_version)(pulumi)
    wanted = ".".join(map(str, REQUIRED))
    if version_numbers(version) < REQUIRED:
        return f"pulumi on PATH says {version or 'no version'}; {wanted} or newer is needed"
    beside = os.pathsep.join([str(pulumi.parent), str(pulumi.resolve().parent), users_path(cache)])
    if not shutil.which("pulumi-language-python", path=beside):
        return f"pulumi {version} on PATH lacks its Python language host"
    return Engine(version, None, "installed on this machine")


def asked_version(pulumi: Path) -> str:
    said = run([pulumi, "version"], env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"})
    return said.last() if said.ok else ""


def official_folder(cache: Path) -> Path:
    """The official CLI in the SDK's version, which is what its installer takes."""
    return cache / f"official-v{pins(REQUIREMENTS)['pulumi']}" / "bin"


def in_cache(cache: Path) -> Engine | str:
    official, built = official_folder(cache), cache / engine_build.folder_name()
    if complete(official):
        return Engine("v" + pins(REQUIREMENTS)["pulumi"], official, "official, in the cache")
    if complete(built):
        return Engine(engine_build.engine_version(), built, "built earlier, in the cache")
    return ""


def complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in EXECUTABLES)


def official_installer(cache: Path, step: Step) -> Engine | str:
    """The SDK's own way of fetching the CLI from Pulumi's site."""
    final = official_folder(cache)
    step.doing = "asking the official installer"
    scratch = cache / f".building-official-{os.getpid()}"
    (scratch / "tmp").mkdir(parents=True)
    try:
        finished = run(
            [PYTHON, "-c", INSTALLER, scratch / "root"],
            env={**os.environ, "TMPDIR": str(scratch / "tmp")},
            alive=step.alive,
            stalled=Stalled(scratch),
        )
        if finished.code is None:
            return f"official installer (get.pulumi.com): no answer within {UNREACHABLE_S} s"
        if not finished.ok:
            return f"official installer (get.pulumi.com): {finished.last() or 'failed'}"
        if not complete(scratch / "root" / "bin"):
            return "official installer (get.pulumi.com): what it installed is not complete"
        (scratch / "root").rename(final.parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Engine("v" + pins(REQUIREMENTS)["pulumi"], final, "fetched by the official installer")


class Stalled:
    """True when a folder has not grown for ``UNREACHABLE_S``: a slow line may take its time, a dead one may not."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.now = folder, now
        self.began = self.grown = now()
        self.size = 0

    def __call__(self) -> bool:
        now, size = self.now(), size_of(self.folder)
        if size > self.size:
            self.grown, self.size = now, size
        return now - self.grown > UNREACHABLE_S or now - self.began > INSTALLER_S


def size_of(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.lstat().st_size
        except FileNotFoundError:  # a temporary file that has just gone
            continue
    return total


def from_go_modules(cache: Path, log: Path, step: Step) -> Engine | str:
    try:
        engine_build.usable_go(cache)
    except CannotBuildError as reason:
        return str(reason)
    step.note(
        f"building {engine_build.engine_version()} from its Go modules: {engine_build.USUAL_TIME}, once for this user"
    )
    step.doing = f"building {engine_build.engine_version()}"
    folder = engine_build.build(cache, log, step)
    return Engine(engine_build.engine_version(), folder, "built from its Go modules")


def noted(step: Step, attempts: Sequence[Attempt]) -> Iterable[Attempt]:
    """The same attempts; each failure is printed as it happens, in one line."""

    def noting(attempt: Attempt) -> Attempt:
        def attempted() -> Engine | str:
            found = attempt()
            if isinstance(found, str) and found:
                step.note(found)
            return found

        return attempted

    return [noting(attempt) for attempt in attempts]
