"""``python -m dev.toolchain.lock [--upgrade]``: re-lock dependencies, with hashes and without addresses.

Python: from the two pyproject.toml files, one requirement file a set (``packages.LOCKS``), and uv itself. JavaScript:
deno.lock, from package.json.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from . import mirrors
from .commands import run
from .errors import SetupError
from .packages import DENO, JAVASCRIPT, JAVASCRIPT_TESTS, LOCKS, PYTHON, REQUIREMENTS_UV, ROOT, UV, checked, pins
from .progress import Progress, Step

# One lock for every system and Python that can run this.
FLAGS = ["--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
# Only Windows needs it, where the setup does not run.
FLAGS += ["--no-emit-package", "colorama"]


def compile_pins(step: Step, more: list[str]) -> None:
    step.done = ", ".join(file.name for file in (*LOCKS.values(), REQUIREMENTS_UV))
    compile_set(step, "setup", [LOCKS["deploy"]], REQUIREMENTS_UV, more)
    before: list[Path] = []
    for name, lock in LOCKS.items():
        compile_set(step, name, before, lock, more)
        before.append(lock)


def compile_set(step: Step, name: str, before: list[Path], lock: Path, more: list[str]) -> None:
    """Lock what a set needs and the sets before it do not contain."""
    # Relative names, because they end up in the file's comments.
    command: list[str | Path] = [UV, "pip", "compile", *FLAGS, *more, "pyproject.toml", "-o", lock.relative_to(ROOT)]
    if name not in ("deploy", "setup"):
        command += ["simulator/pyproject.toml"]
    if name != "deploy":
        command += ["--extra", name]
    for file in before:
        command += ["--constraint", file.relative_to(ROOT)]
    for package in pins(*before):
        command += ["--no-emit-package", package]
    finished = run(command, cwd=ROOT, env={**os.environ, **mirrors.for_uv(PYTHON)}, alive=step.alive)
    checked(f"the newest packages for {lock.name}", finished)


def main(arguments: list[str]) -> int:
    progress = Progress()
    try:
        with progress.step("python", "resolving") as step:
            compile_pins(step, arguments)
        with progress.step("javascript", "resolving") as step:
            step.done = "deno.lock in the two folders with a package.json"
            command: list[str | Path] = [DENO, "install", "--quiet", "--frozen=false", "--lockfile-only"]
            environment = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
            for place in (JAVASCRIPT, JAVASCRIPT_TESTS):
                checked("the newest JavaScript packages", run(command, cwd=place, env=environment, alive=step.alive))
    except SetupError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
