"""What a deployment costs: `python -m dev.benchmarks.deploy` prints a table and writes build/bench/deploy.json.

Everything runs in a scratch copy of the project with its own backend and its own local environment, so that a running
dev stack is not disturbed; only the warm `make up` is the real command on the real dev stack.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev import ROOT

OUTPUT = ROOT / "build" / "bench" / "deploy.json"
RUNS = 5
EMPTY_PROGRAM = '"""An empty Pulumi program."""\n'


def seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


@contextmanager
def local_environment(folder: Path) -> Iterator[tuple[str, float]]:
    """A fresh local environment on a free port; yields its address and the seconds until it answered."""
    command = [
        sys.executable,
        "-m",
        "local_dynatrace",
        "serve",
        "--port",
        "0",
        "--state",
        str(folder / "local-dynatrace.sqlite"),
    ]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert process.stdout is not None
    url = process.stdout.readline().strip().rsplit(" ", 1)[-1]
    try:
        yield url, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(20)


def project(folder: Path, url: str | None) -> Callable[..., None]:
    """A scratch copy of the project, or without ``url`` an empty program; returns what runs pulumi there."""
    work = folder / ("project" if url else "empty")
    work.mkdir()
    (work / ".venv").symlink_to(ROOT / ".venv")
    if url:
        for name in ("providers", "workflow_src"):
            shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Pulumi.yaml", "__main__.py", "Pulumi.README.md"):
            shutil.copy(ROOT / name, work / name)
        stack_file = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8").replace("http://127.0.0.1:8787", url)
        (work / "Pulumi.dev.yaml").write_text(stack_file, encoding="utf-8")
    else:
        (work / "Pulumi.yaml").write_text(
            "name: empty\nruntime: {name: python, options: {virtualenv: .venv}}\n", encoding="utf-8"
        )
        (work / "__main__.py").write_text(EMPTY_PROGRAM, encoding="utf-8")
    backend = folder / f"{work.name}-state"
    backend.mkdir()
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "local",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "CI": "true",
    }

    def pulumi(*arguments: str) -> None:
        command = ["pulumi", *arguments, "--non-interactive", "--stack", "dev"]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            raise SystemExit(f"pulumi {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

    subprocess.run(["pulumi", "stack", "select", "dev", "--create", "--non-interactive"], cwd=work, env=environment,
                   capture_output=True, check=True)  # fmt: skip
    return pulumi


def calls(url: str) -> list[dict[str, Any]]:
    """Requests that came from outside (not from scripts) since the environment started."""
    with urllib.request.urlopen(f"{url}/_sim/requests?caller=outside&limit=10000") as answer:
        found: list[dict[str, Any]] = json.load(answer)["requests"]
    return found


def is_polling(call: dict[str, Any], first: bool) -> bool:
    """Looking again at an execution that was looked at before."""
    return not first and "/executions/" in call["path"] and call["path"].count("/") == 5


def main() -> None:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        starts = []
        for number in range(RUNS):
            (folder / str(number)).mkdir()
            with local_environment(folder / str(number)) as (_, started):
                starts.append(started)
        figures["simulator_start_s"] = statistics.median(starts)

        with local_environment(folder) as (url, _):
            up = project(folder, url)
            empty = project(folder, None)
            figures["first_up_s"] = seconds(lambda: up("up", "--yes", "--skip-preview"))
            made = calls(url)
            figures["first_up_calls"] = len(made)
            polls = sum(is_polling(call, first=False) for call in made)
            figures["first_up_calls_without_polling"] = len(made) - max(0, polls - 1)
            figures["noop_up_s"] = statistics.median(
                seconds(lambda: up("up", "--yes", "--skip-preview")) for _ in range(RUNS)
            )
            figures["noop_up_calls"] = len(calls(url)) - len(made)
            empty("up", "--yes", "--skip-preview")
            pairs = [(seconds(lambda: up("preview")), seconds(lambda: empty("preview"))) for _ in range(RUNS)]
            figures["noop_preview_s"] = statistics.median(ours for ours, _ in pairs)
            figures["empty_preview_s"] = statistics.median(theirs for _, theirs in pairs)
            figures["noop_preview_minus_empty_s"] = statistics.median(ours - theirs for ours, theirs in pairs)

    make_up = ["make", "up"]
    subprocess.run(make_up, cwd=ROOT, capture_output=True, check=True)
    figures["make_up_warm_s"] = statistics.median(
        seconds(lambda: subprocess.run(make_up, cwd=ROOT, capture_output=True, check=True)) for _ in range(3)
    )

    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(
        json.dumps({key: round(value, 3) for key, value in figures.items()}, indent=2) + "\n", encoding="utf-8"
    )
    for key, value in figures.items():
        unit = "" if "calls" in key else " s"
        print(f"{key:<32} {value:8.2f}{unit}" if unit else f"{key:<32} {value:8.0f}")


if __name__ == "__main__":
    main()
