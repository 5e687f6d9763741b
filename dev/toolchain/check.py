"""``python -m dev.toolchain.check [--fix | --quick | --tests] [pytest's arguments]``: every linter, one line each.

Runs inside the virtual environment and needs no network. ``--tests`` runs pytest after the linters; with ``-k`` it
runs pytest alone. ``--quick`` runs the tests that are not marked ``slow``. pytest's closing line is the last line,
unless a linter failed, which is then repeated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from .commands import LOOK_S, run
from .packages import DENO, JAVASCRIPT, ROOT, SIMULATOR, VENV, environment
from .progress import Progress

SCRIPT = ROOT / "workflow_src"
JAVASCRIPT_FOLDERS = (SCRIPT, *(ROOT / name for name in ("simulator", "dev", "tests")))
IMPORT_MAP = ROOT / ".local" / "setup" / "import-map.json"
LINT_IMPORTS = VENV / "bin" / "lint-imports"
LINE_WIDTH = "--line-width=120"
PARALLEL = ["-n", "logical", "--dist", "worksteal"]
"""All cores; a worker that has finished takes tests from the others. Consecutive tests stay together otherwise, so
fixtures of a module are set up about once."""


@dataclass(frozen=True)
class Check:
    name: str
    command: list[str]


def javascript_files() -> list[str]:
    """Our own JavaScript; formatting whole folders would also touch their Markdown, JSON and HTML."""
    found = [file for folder in JAVASCRIPT_FOLDERS for kind in ("*.js", "*.mjs") for file in folder.rglob(kind)]
    found = [file for file in found if "node_modules" not in file.parts]
    return sorted(str(file.relative_to(ROOT)) for file in found)


def write_import_map() -> None:
    """Map the names that the script imports to the installed packages and their types."""
    names = json.loads((JAVASCRIPT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    imports = {name: f"npm:{name}@{version}" for name, version in names.items()}
    # Node's own types are no package of ours.
    imports["node:crypto"] = Path(__file__).with_name("node_crypto.d.ts").as_uri()
    IMPORT_MAP.parent.mkdir(parents=True, exist_ok=True)
    IMPORT_MAP.write_text(json.dumps({"imports": imports}, indent=2), encoding="utf-8")


def checks() -> list[Check]:
    python, deno = sys.executable, str(DENO)
    found = [
        Check("ruff", [python, "-m", "ruff", "check", "--quiet", "."]),
        Check("format", [python, "-m", "ruff", "format", "--check", "--quiet", "."]),
        Check("types", [python, "-m", "mypy", "--no-error-summary"]),
    ]
    for project in (ROOT, SIMULATOR):
        if "importlinter" in tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {}):
            found.append(Check("imports", [str(LINT_IMPORTS), str(project / "pyproject.toml")]))
    files = javascript_files()
    if files:
        found.append(Check("js lint", [deno, "lint", "--quiet", "--no-config", *files]))
        found.append(Check("js format", [deno, "fmt", "--check", "--quiet", "--no-config", LINE_WIDTH, *files]))
    scripts = [file for file in files if file.startswith(f"{SCRIPT.name}/")]
    if scripts:
        write_import_map()
        config = ["--config", str(JAVASCRIPT / "deno.json"), "--import-map", str(IMPORT_MAP)]
        found.append(Check("js types", [deno, "check", "--quiet", "--check-js", *config, *scripts]))
    return found


def fixes() -> list[Check]:
    python, files = sys.executable, javascript_files()
    found = [
        Check("ruff", [python, "-m", "ruff", "check", "--fix", "--quiet", "."]),
        Check("format", [python, "-m", "ruff", "format", "--quiet", "."]),
    ]
    if files:
        found.append(Check("js format", [str(DENO), "fmt", "--quiet", "--no-config", LINE_WIDTH, *files]))
    return found


def run_all(chosen: list[Check], progress: Progress, at_once: int | None = None) -> list[str]:
    """Run every linter, as many at once as there are cores, even after one has failed; returns which ones failed."""
    env = {**environment(), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    failed = []
    with ThreadPoolExecutor(at_once or os.cpu_count()) as pool:
        running = [(check, pool.submit(run, check.command, cwd=ROOT, env=env)) for check in chosen]
        for check, future in running:
            with progress.step(check.name, "") as step:
                while not wait([future], LOOK_S).done:
                    step.alive()
                finished = future.result()
                step.done = "ok" if finished.ok else "FAILED"
            if not finished.ok:
                failed.append(check.name)
                progress.write("\n".join([*finished.lines, "", ""]))
    return failed


def tests(arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *PARALLEL, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode


def main(arguments: list[str]) -> int:
    progress = Progress()
    kind, more = (arguments or [""])[0], arguments[1:]
    if kind == "--fix":
        return 1 if run_all(fixes(), progress, at_once=1) else 0  # two of them write the same files
    if kind == "--quick":
        return tests(["-m", "not slow", *more])
    if kind == "--tests" and "-k" in more:
        return tests(more)
    failed = run_all(checks(), progress)
    code = 0
    if kind == "--tests":
        progress.write("\n")
        code = tests(more)
    if failed:
        print(f"failed linters: {', '.join(failed)}", file=sys.stderr)
    return code or (1 if failed else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
