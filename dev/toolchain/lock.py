"""``python -m dev.toolchain.lock [--upgrade]``: pin packages anew, with hashes and without addresses.

Python, from pyproject.toml: requirements.txt (run time), requirements-local.txt (everything, within the same run-time
pins), requirements-browser.txt (what `make browser` adds, within all of these). JavaScript: deno.lock, from
package.json.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from .commands import Finished, run
from .errors import SetupError
from .packages import DENO, JAVASCRIPT, JAVASCRIPT_TESTS, REQUIREMENTS, REQUIREMENTS_BROWSER, REQUIREMENTS_LOCAL, ROOT
from .progress import Progress, Step

PIP_TOOLS = "pip-tools==7.5.2"
# The pins hold on any machine: nothing of this one's package sources may get into them.
FLAGS = ["--quiet", "--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header"]
FLAGS += ["--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"]


def compile_pins(step: Step, python: Path, more: list[str]) -> None:
    step.done = "requirements.txt, dev/requirements-local.txt, dev/requirements-browser.txt"
    # Names, not paths: they end up in the comments.
    base: list[str | Path] = [python, "-m", "piptools", "compile", *FLAGS, *more, "pyproject.toml"]
    checked(run([*base, "-o", REQUIREMENTS.name], cwd=ROOT, env=environment(), alive=step.alive))
    for extra, within, output in (
        ("local", REQUIREMENTS, REQUIREMENTS_LOCAL),
        ("browser", REQUIREMENTS_LOCAL, REQUIREMENTS_BROWSER),
    ):
        command = [*base, "--extra", extra, "--constraint", within.relative_to(ROOT), "-o", output.relative_to(ROOT)]
        checked(run(command, cwd=ROOT, env=environment(), alive=step.alive))


def environment() -> dict[str, str]:
    return {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}


def checked(finished: Finished) -> None:
    if not finished.ok:
        raise SetupError(f"its last lines:\n{finished.last(8)}")


def main(arguments: list[str]) -> int:
    progress = Progress()
    try:
        with tempfile.TemporaryDirectory() as folder:
            python = Path(folder) / "bin" / "python"
            with progress.step("pip-tools", "installing") as step:
                step.done = PIP_TOOLS
                checked(run([sys.executable, "-m", "venv", folder], alive=step.alive))
                checked(run([python, "-m", "pip", "install", "-q", PIP_TOOLS], env=environment(), alive=step.alive))
            with progress.step("python", "resolving") as step:
                compile_pins(step, python, arguments)
        with progress.step("javascript", "resolving") as step:
            step.done = "deno.lock in the two folders of package.json"
            command: list[str | Path] = [DENO, "install", "--quiet", "--frozen=false", "--lockfile-only"]
            for place in (JAVASCRIPT, JAVASCRIPT_TESTS):
                checked(run(command, cwd=place, env=environment(), alive=step.alive))
    except SetupError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
