"""The engine, built from its published Go modules where it is not installed and cannot be downloaded.

Two modules with checked-in go.mod and go.sum (dev/toolchain/engine): the CLI, which contains the engine, and the Python
language host in the last version that lives inside the SDK's module. Two, because their versions conflict.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .commands import Finished, run
from .errors import SetupError
from .machine import Which, version_numbers
from .progress import Step
from .stamps import digest

MODULES = Path(__file__).resolve().parent / "engine"
CLI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
HOST = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
SDK = "github.com/pulumi/pulumi/sdk/v3"
# Without a version the CLI's `pulumi version` is empty and the Automation API refuses it.
VERSION_VARIABLE = SDK + "/go/common/version.Version"
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
EXECUTABLES = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")

DISK_BYTES = 4_000_000_000
"""Measured: module cache 1.6 GB, build cache 1.8 GB, and the result; all but the result is given back."""
USUAL_TIME = "about 4 minutes"


class CannotBuildError(SetupError):
    """Why there is no build on this machine, in one sentence."""


def engine_version() -> str:
    """The CLI's version, as its go.mod pins it: ``v3.259.0``."""
    found = re.search(
        r"github\.com/pulumi/pulumi/pkg/v3 (v\S+)", (MODULES / "cli" / "go.mod").read_text(encoding="utf-8")
    )
    assert found, "dev/toolchain/engine/cli/go.mod does not require the Pulumi CLI"
    return found[1]


def folder_name() -> str:
    """The finished engine's folder in the cache: another version, lock or platform is another folder."""
    files = [MODULES / module / name for module in ("cli", "python-host") for name in ("go.mod", "go.sum")]
    kind = f"{platform.system()}-{platform.machine()}".lower()
    return f"{engine_version()}-{kind}-{digest(*files)[:12]}"


def go_needed() -> str:
    """The Go version both modules ask for."""
    found = re.search(r"^go (\S+)$", (MODULES / "cli" / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert found, "dev/toolchain/engine/cli/go.mod has no go line"
    return found[1]


def usable_go(cache: Path, which: Which = shutil.which) -> None:
    """Raise CannotBuildError unless Go is there, new enough, and there is room for the build."""
    if not which("go"):
        raise CannotBuildError("no Go on PATH to build it with")
    asked = run(["go", "env", "GOVERSION"], cwd=Path("/"), env=build_environment(cache))
    if "GOTOOLCHAIN" not in os.environ and version_numbers(asked.last()) < version_numbers(go_needed()):
        raise CannotBuildError(f"Go {asked.last().removeprefix('go')} is too old to build it ({go_needed()} or newer)")
    free = shutil.disk_usage(existing(cache)).free
    if free < DISK_BYTES:
        raise CannotBuildError(f"building it needs about 4 GB of free disk; {existing(cache)} has {free / 1e9:.1f} GB")


def existing(folder: Path) -> Path:
    """The folder or its nearest parent that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder


def build_environment(scratch: Path) -> dict[str, str]:
    """The user's own settings (GOPROXY, GOFLAGS, ...) win; ours only fill in what is not set."""
    ours = {
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",  # the same result whether or not the machine has a C compiler
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "objects"),
        "GOTMPDIR": str(scratch / "tmp"),
    }
    return {**ours, **os.environ}


@dataclass
class Count:
    """The progress of a build, from the lines that the Go tool prints."""

    downloaded: int = 0
    listed: int = 0
    compiled: int = 0
    compiling: bool = False
    """A package's name means: false, it will be needed; true, it has been begun."""

    def line(self, text: str) -> None:
        if text.startswith("go: downloading "):
            self.downloaded += 1
        elif not re.fullmatch(r"[\w.~/-]+", text):
            return
        elif self.compiling:
            self.compiled += 1
        else:
            self.listed += 1

    def __str__(self) -> str:
        if not self.compiling:
            return f"downloading modules, {self.downloaded} so far"
        return f"{self.compiled} of {self.listed} packages"


class Build:
    """One build in a scratch folder; ``log`` receives everything the Go tool says."""

    def __init__(self, scratch: Path, log: Path, step: Step) -> None:
        self.scratch, self.log, self.step = scratch, log, step
        self.result = scratch / "result"
        self.environment = build_environment(scratch)
        for folder in (self.result, scratch / "tmp"):
            folder.mkdir(parents=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")

    def all(self) -> Path:
        """Build and check the four files; returns their folder."""
        linked = f"-s -w -X {VERSION_VARIABLE}={engine_version()}"
        self.program("cli", CLI, "pulumi", linked)
        self.program("python-host", HOST, "pulumi-language-python", "-s -w")
        sdk = Path(self.go("cli", ["list", "-m", "-f", "{{.Dir}}", SDK], Count()).last())
        for script in SCRIPTS:
            target = self.result / Path(script).name
            shutil.copyfile(sdk / script, target)
            target.chmod(0o755)  # they come without their run bit
        said = run([self.result / "pulumi", "version"], env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"})
        if said.last() != engine_version():
            raise SetupError(f"the engine was built, but `pulumi version` says: {said.last(3)}")
        return self.result

    def program(self, module: str, package: str, name: str, linked: str) -> None:
        count = Count()
        self.go(module, ["list", "-mod=readonly", "-modcacherw", "-deps", package], count)
        count.compiling = True
        output = str(self.result / name)
        flags = ["-v", "-trimpath", "-mod=readonly", "-modcacherw", "-buildvcs=false", "-ldflags", linked]
        self.go(module, ["build", *flags, "-o", output, package], count)

    def go(self, module: str, arguments: Sequence[str], count: Count) -> Finished:
        with self.log.open("a", encoding="utf-8") as log:

            def line(text: str) -> None:
                count.line(text)
                print(text, file=log)

            finished = run(
                ["go", *arguments],
                cwd=MODULES / module,
                env=self.environment,
                on_line=line,
                alive=lambda: self.step.alive(str(count)),
            )
        if not finished.ok:
            raise SetupError(
                f"building the engine failed at `go {arguments[0]}` in dev/toolchain/engine/{module}; its last lines "
                f"(all of them: {self.log}):\n{finished.last(8)}"
            )
        return finished


def build(cache: Path, log: Path, step: Step) -> Path:
    """Build into the cache; the finished folder appears there at once or not at all."""
    final = cache / folder_name()
    cache.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    try:
        Build(scratch, log, step).all().rename(final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return final


def remove_leftovers(cache: Path) -> None:
    """Scratch folders of builds that were killed; call it with the cache's lock held."""
    for scratch in cache.glob(".building-*"):
        shutil.rmtree(scratch, ignore_errors=True)
