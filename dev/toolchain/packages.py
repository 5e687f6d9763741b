"""The virtual environment and the JavaScript packages, both from locked files without addresses.

Where packages come from is the user's own configuration (pip.conf, PIP_*, .npmrc, NPM_CONFIG_*).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from .commands import run
from .errors import SetupError
from .progress import Step
from .stamps import digest, identity

ROOT = Path(__file__).resolve().parents[2]
SIMULATOR = ROOT / "simulator"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DENO = VENV / "bin" / "deno"
REQUIREMENTS = ROOT / "requirements.txt"
REQUIREMENTS_LOCAL = ROOT / "dev" / "requirements-local.txt"
REQUIREMENTS_BROWSER = ROOT / "dev" / "requirements-browser.txt"
JAVASCRIPT = ROOT / "simulator" / "local_dynatrace" / "runtime" / "sdk"
NODE_MODULES = JAVASCRIPT / "node_modules"
JAVASCRIPT_TESTS = ROOT / "dev" / "toolchain" / "javascript-tests"
"""What tests of the script need besides; apart, as scripts can import every package of the other folder."""

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)


def pins(file: Path) -> dict[str, str]:
    """Name and version of every package in a requirement file."""
    return dict(PIN.findall(file.read_text()))


def venv_inputs() -> str:
    """What the virtual environment is made from; scripts in it hold its path, so that counts too."""
    return digest(
        REQUIREMENTS, REQUIREMENTS_LOCAL, SIMULATOR / "pyproject.toml", str(VENV), identity(PYTHON), identity(DENO)
    )


def javascript_inputs() -> str:
    folders = (JAVASCRIPT, JAVASCRIPT_TESTS)
    files = [folder / name for folder in folders for name in ("package.json", "deno.json", "deno.lock")]
    installed = [str((folder / "node_modules").is_dir()) for folder in folders]
    return digest(*files, *installed, identity(DENO))


def make_venv(step: Step) -> None:
    """An empty environment with pip in it (the engine's language host asks pip what is installed)."""
    # Not the interpreter of the very environment that is cleared, should that be the one that runs this.
    base = getattr(sys, "_base_executable", sys.executable)
    finished = run([base, "-m", "venv", "--clear", VENV], env=_environment(), alive=step.alive)
    if not finished.ok:
        raise SetupError(f"python -m venv failed:\n{finished.last(8)}")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"
    step.done = f"made .venv with Python {version}"


def usable_venv() -> bool:
    """Whether .venv holds a Python that starts and has pip (its base may have been removed or upgraded)."""
    return PYTHON.exists() and run([PYTHON, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]).ok


def install_packages(step: Step) -> None:
    command: list[str | Path] = [PYTHON, "-m", "pip", "install", "--require-hashes", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "-q", "-r", REQUIREMENTS_LOCAL]
    finished = run(command, cwd=ROOT, env=_environment(), alive=step.alive)
    if not finished.ok:
        raise SetupError(f"pip could not install {REQUIREMENTS_LOCAL.name}; its last lines:\n{finished.last(8)}")
    local: list[str | Path] = [PYTHON, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "-q"]
    local += ["--disable-pip-version-check", "--no-input", "-e", SIMULATOR]
    finished = run(local, cwd=ROOT, env=_environment(), alive=step.alive)
    if not finished.ok:
        raise SetupError(f"pip could not install the local environment; its last lines:\n{finished.last(8)}")
    step.done = f"{len(pins(REQUIREMENTS_LOCAL))} Python packages, pinned and hashed"


def install_javascript(step: Step) -> None:
    """The unmodified @dynatrace-sdk packages, and those of tests. Always from an empty folder: nothing half stays."""
    env = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    count = 0
    for folder in (JAVASCRIPT, JAVASCRIPT_TESTS):
        modules = folder / "node_modules"
        if modules.exists():
            shutil.rmtree(modules)
        finished = run([DENO, "install", "--quiet"], cwd=folder, env=env, alive=step.alive)
        if not finished.ok or not modules.is_dir():
            raise SetupError(f"deno could not install {folder.relative_to(ROOT)}; its last lines:\n{finished.last(8)}")
        count += len(list(modules.glob("@*/*/package.json"))) + len(list(modules.glob("*/package.json")))
    step.done = f"{count} JavaScript packages, by Deno {pins(REQUIREMENTS_LOCAL)['deno']}"


def _environment() -> dict[str, str]:
    # Without bytecode each start of the engine's Python processes takes about a second longer.
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
