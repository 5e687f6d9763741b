"""The script's modules and whole runs of it, in Deno (javascript/, runs/), and the form of the linked script."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from dev import ROOT
from dev.link import SCRIPT, SOURCES
from dev.soak.deno_tests import RUNS, SDK, TESTS, command
from dev.toolchain.packages import DENO
from workflow_src.render import script_template


def run_tests(folder: Path, file: Path, zone: str) -> None:
    """Run one file on a host in this time zone."""
    finished = subprocess.run(
        command(folder, [file]), capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "TZ": zone, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("file", sorted(TESTS.glob("*_test.js")), ids=lambda file: file.name)
def test_inner_functions_hold_their_promises(tmp_path: Path, file: Path) -> None:
    run_tests(tmp_path, file, "UTC")


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(RUNS.glob("*_test.js")), ids=lambda file: file.name)
def test_whole_runs_hold_their_promises(tmp_path: Path, file: Path) -> None:
    run_tests(tmp_path, file, "UTC")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_13_the_time_zone_of_the_host_changes_nothing(tmp_path: Path, zone: str) -> None:
    run_tests(tmp_path, TESTS / "time_test.js", zone)


def test_the_script_is_one_module_that_imports_the_sdk_and_exports_one_function() -> None:
    script = script_template()

    assert set(re.findall(r'^import .* from "(.*)";$', script, re.MULTILINE)) == {*SDK, "node:crypto"}
    assert re.findall(r"^export .*$", script, re.MULTILINE) == ["export default async function sync(action = {}) {"]
    assert not re.search(r"\bimport\(", script) and len(script) < 158_000


def test_every_text_names_the_same_bound_of_repeats_after_a_kill() -> None:
    limits = (SOURCES / "limits.js").read_text(encoding="utf-8")
    bound, batch = (int(re.search(rf"{name}: ([\d_]+)", limits)[1]) for name in ("saveRecords", "batchRecords"))  # type: ignore[index]
    oracle = (ROOT / "dev/soak/oracle/javascript/oracle.js").read_text(encoding="utf-8")

    assert batch <= bound
    assert f"REPEATS_AFTER_A_DEATH = {bound:_};" in oracle
    for page, words in {
        "README.md": "a killed run repeats at most {} records",
        "docs/how-the-sync-script-works.md": "A kill repeats at most {} records",
        "docs/how-the-sync-script-works.md#the-ledger": "kills (at most {} each)",
        "docs/measurements/script.md": "never more than {}",
    }.items():
        text = (ROOT / page.partition("#")[0]).read_text(encoding="utf-8")
        assert words.format(f"{bound:,}") in " ".join(text.split()), page


def test_every_inner_function_is_used() -> None:
    command = [DENO, "lint", "--quiet", "--no-config", "--rules-tags=", "--rules-include=no-unused-vars", SCRIPT]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})

    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize(
    ("words", "door"),
    [(r"Date\.now|performance\.", "clock.js"), (r"console\.", "output.js"), (r"@dynatrace-sdk", "platform.js")],
)
def test_clocks_output_and_sdk_have_one_door_each(words: str, door: str) -> None:
    using = [file.name for file in SOURCES.glob("*.js") if re.search(words, file.read_text(encoding="utf-8"))]

    assert using == [door]
