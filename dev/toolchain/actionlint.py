"""actionlint, which checks the workflows in .github: found here, or built from Go's module cache. No network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .packages import ROOT

VERSION = "v1.7.12"
MODULE = "github.com/rhysd/actionlint"
INSTALL = f"go install {MODULE}/cmd/actionlint@{VERSION}"
BUILT = ROOT / ".local" / "setup" / f"actionlint-{VERSION}"


def find() -> Path | str:
    """The program, or why there is none, in one sentence."""
    if found := shutil.which("actionlint"):
        return Path(found)
    if BUILT.is_file():
        return BUILT
    go = shutil.which("go")
    if go is None:
        return f"neither actionlint nor Go is on PATH; with Go: {INSTALL}"
    installed, cache = go_paths(go)
    if installed.is_file():
        return installed
    source = cache / f"{MODULE}@{VERSION}"
    if not source.is_dir():
        return f"neither on PATH nor in Go's module cache; {INSTALL}"
    return build(go, source)


def go_paths(go: str) -> tuple[Path, Path]:
    """Where `go install` puts actionlint, and the module cache."""
    command = [go, "env", "GOBIN", "GOPATH", "GOMODCACHE"]
    binaries, path, cache = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=True
    ).stdout.splitlines()
    folder = Path(binaries) if binaries else Path(path.split(os.pathsep)[0]) / "bin"
    return folder / "actionlint", Path(cache)


def build(go: str, source: Path) -> Path | str:
    """From the module's own go.mod and go.sum: `go run MODULE@VERSION` would ask the proxy whether it is deprecated."""
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    # Two tests may build at once: each its own file, moved into place.
    made = BUILT.with_name(f"{BUILT.name}.{os.getpid()}")
    command = [go, "build", "-C", str(source), "-mod=readonly", "-buildvcs=false", "-o", str(made), "./cmd/actionlint"]
    env = {**os.environ, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"Go's module cache does not hold all of it ({last}); {INSTALL}"
    made.replace(BUILT)
    return BUILT
