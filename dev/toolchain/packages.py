"""The virtual environment and the JavaScript packages, from locked files that contain hashes and no addresses.

Packages come from wherever pip, uv and npm are configured to look (see ``mirrors``).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from . import mirrors
from .commands import Finished, run
from .errors import SetupError
from .progress import Step
from .stamps import digest, identity

ROOT = Path(__file__).resolve().parents[2]
SIMULATOR = ROOT / "simulator"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DENO = VENV / "bin" / "deno"
UV = VENV / "bin" / "uv"
REQUIREMENTS = ROOT / "requirements.txt"
REQUIREMENTS_UV = ROOT / "dev" / "requirements-uv.txt"
LOCKS = {
    "deploy": REQUIREMENTS,
    "up": ROOT / "dev" / "requirements-up.txt",
    "test": ROOT / "dev" / "requirements-test.txt",
    "browser": ROOT / "dev" / "requirements-browser.txt",
}
"""What a real deployment, ``make up``, ``make test`` and ``make browser`` need. Each set includes the sets before it;
its file lists only what it adds."""
JAVASCRIPT = SIMULATOR / "local_dynatrace" / "runtime" / "sdk"
JAVASCRIPT_TESTS = ROOT / "dev" / "toolchain" / "javascript-tests"
"""What the script's tests need besides. Separate, because scripts can import every package of the other folder."""

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)


def pins(*files: Path) -> dict[str, str]:
    """Name and version of every package in requirement files."""
    return {name: version for file in files for name, version in PIN.findall(file.read_text(encoding="utf-8"))}


def smaller(wanted: str) -> list[str]:
    """The set itself and the sets it includes."""
    names = list(LOCKS)
    return names[: names.index(wanted) + 1]


def locks(wanted: str) -> list[Path]:
    """The requirement files of a set."""
    return [LOCKS[name] for name in smaller(wanted)]


def javascript_folders(wanted: str) -> list[Path]:
    return {"deploy": [], "up": [JAVASCRIPT]}.get(wanted, [JAVASCRIPT, JAVASCRIPT_TESTS])


def python_inputs(wanted: str) -> str:
    """What a set is installed from. Scripts in the virtual environment contain its path, so that counts too."""
    local: list[str | Path] = [] if wanted == "deploy" else [SIMULATOR / "pyproject.toml", identity(DENO)]
    return digest(*locks(wanted), REQUIREMENTS_UV, *local, str(VENV), identity(PYTHON))


def javascript_inputs(wanted: str) -> str:
    folders = javascript_folders(wanted)
    files = [folder / name for folder in folders for name in ("package.json", "deno.json", "deno.lock")]
    installed = [str((folder / "node_modules").is_dir()) for folder in folders]
    return digest(*files, *installed, identity(DENO))


def make_venv(step: Step) -> None:
    """An empty environment with pip in it (the engine's language host asks pip what is installed)."""
    # Not the interpreter of the environment that is being cleared, in case that one runs this.
    base = getattr(sys, "_base_executable", sys.executable)
    finished = run([base, "-m", "venv", "--clear", VENV], env=environment(), alive=step.alive)
    if not finished.ok:
        raise SetupError(f"python -m venv failed:\n{finished.last(8)}")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"
    step.done = f"made .venv with Python {version}"


def usable_venv() -> bool:
    """Whether .venv has a Python that starts and has pip (its base may have been removed or upgraded)."""
    return PYTHON.exists() and run([PYTHON, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]).ok


def install_packages(step: Step, wanted: str) -> None:
    """Install a set with uv, and the local environment as an editable package if the set includes it."""
    install_uv(step)
    env = {**environment(), **mirrors.for_uv(PYTHON)}
    command: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", PYTHON]
    # uv does not compile by default; without bytecode each start of the engine's Python takes a second longer.
    pinned: list[str | Path] = [*command, "--require-hashes", "--no-deps", "--compile-bytecode"]
    for lock in locks(wanted):
        pinned += ["-r", lock]
    checked("Python packages", run(pinned, cwd=ROOT, env=env, alive=step.alive))
    if wanted != "deploy":
        local: list[str | Path] = [*command, "--no-deps", "--no-build-isolation", "-e", SIMULATOR]
        checked("the local environment", run(local, cwd=ROOT, env=env, alive=step.alive))
    step.done = f"{len(pins(*locks(wanted)))} Python packages, pinned and hashed"


def install_uv(step: Step) -> None:
    """uv, by pip: it takes a third of pip's time for everything else."""
    if UV.is_file() and run([UV, "--version"]).last().split()[1:2] == [pins(REQUIREMENTS_UV)["uv"]]:
        return
    command: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "-r", REQUIREMENTS_UV]
    env = {"PIP_RETRIES": "1", **environment()}
    checked("uv (it installs the other packages)", run(command, cwd=ROOT, env=env, alive=step.alive))


def install_javascript(step: Step, wanted: str) -> None:
    """The unmodified @dynatrace-sdk packages, and those of tests. Always into an empty folder, so that no half
    installation remains."""
    env = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    count = 0
    for folder in javascript_folders(wanted):
        modules = folder / "node_modules"
        if modules.exists():
            shutil.rmtree(modules)
        finished = run([DENO, "install", "--quiet"], cwd=folder, env=env, alive=step.alive)
        checked(f"the JavaScript packages of {folder.relative_to(ROOT)}", finished)
        if not modules.is_dir():
            raise SetupError(f"deno install did not create {modules.relative_to(ROOT)}")
        count += len(list(modules.glob("@*/*/package.json"))) + len(list(modules.glob("*/package.json")))
    step.done = f"{count} JavaScript packages, by Deno {pins(*locks(wanted))['deno']}"


def checked(what: str, finished: Finished) -> None:
    """Raise SetupError if an installation failed: one line if no registry answered, else the tool's last lines."""
    if not finished.ok:
        raise SetupError(f"could not install {what}: {mirrors.reason(finished)}")


def environment() -> dict[str, str]:
    """Variables for a Python of .venv. Bytecode is written: without it each process compiles again."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
