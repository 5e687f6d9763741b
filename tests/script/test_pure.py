"""The script's modules, in Deno with fast-check (tests/script/javascript), and the form of the linked script."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from dev import ROOT
from dev.link import SCRIPT, SOURCES
from dev.toolchain.packages import DENO, JAVASCRIPT_TESTS
from workflow_src.render import script_template

TESTS = Path(__file__).parent / "javascript"
SDK = {
    "@dynatrace-sdk/automation-utils",
    "@dynatrace-sdk/client-automation",
    "@dynatrace-sdk/client-classic-environment-v2",
}


def run_tests(folder: Path, name: str, zone: str) -> None:
    """Run one file, which imports the script's modules as ``sync/NAME.js``, on a host in this time zone."""
    package = json.loads((JAVASCRIPT_TESTS / "package.json").read_text(encoding="utf-8"))
    npm = {name: f"npm:{name}@{version}" for name, version in package["dependencies"].items()}
    imports = {"sync/": f"{SOURCES.as_uri()}/", **dict.fromkeys(SDK, (TESTS / "doors.js").as_uri()), **npm}
    (folder / "imports.json").write_text(json.dumps({"imports": imports}), encoding="utf-8")
    command = [DENO, "test", "--quiet", "--no-check", "--allow-read", "--allow-env", "--cached-only", "--frozen"]
    command += ["--config", JAVASCRIPT_TESTS / "deno.json", "--import-map", folder / "imports.json", TESTS / name]
    finished = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "TZ": zone, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("name", sorted(file.name for file in TESTS.glob("*_test.js")))
def test_inner_functions_hold_their_promises(tmp_path: Path, name: str) -> None:
    run_tests(tmp_path, name, "UTC")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_13_the_time_zone_of_the_host_changes_nothing(tmp_path: Path, zone: str) -> None:
    run_tests(tmp_path, "time_test.js", zone)


def test_the_script_is_one_module_that_imports_the_sdk_and_exports_one_function() -> None:
    script = script_template()

    assert set(re.findall(r'^import .* from "(.*)";$', script, re.MULTILINE)) == SDK | {"node:crypto"}
    assert re.findall(r"^export .*$", script, re.MULTILINE) == ["export default async function sync(action = {}) {"]
    assert not re.search(r"\bimport\(", script) and len(script) < 157_000


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
