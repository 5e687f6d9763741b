"""The script's tests in Deno (tests/script/javascript): how they find the script's modules, or a changed script."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from dev import ROOT
from dev.link import SOURCES
from dev.toolchain.packages import DENO, JAVASCRIPT_TESTS
from local_dynatrace.runtime.modules import packages

from .oracle import driver

TESTS = ROOT / "tests" / "script" / "javascript"
RUNS = TESTS.with_name("runs")
TOP_LEVEL = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)
SDK = [f"@dynatrace-sdk/{name}" for name in ("automation-utils", "client-automation", "client-classic-environment-v2")]
REPORT = """globalThis.$reached = new Uint8Array(10_000);
addEventListener("unload", () =>
  Deno.writeTextFileSync("reached.json", JSON.stringify([...$reached].flatMap((ran, place) => (ran ? [place] : [])))));
"""


def command(folder: Path, files: Sequence[Path], script: str = "", *, reach: bool = False) -> list[str]:
    """Runs test files of one folder: ``TESTS``, which import the script's modules as ``sync/NAME.js``, or ``RUNS``.

    With a ``script``, it takes the place of all modules. ``reach``: it is an instrumented one (judging.py), and the
    places that have run are written to ``reached.json`` at the end.
    """
    words = [DENO, "test", "--quiet", "--no-check", "--allow-read", "--allow-env", "--cached-only"]
    words += ["--allow-write"] if reach else []
    is_whole = files[0].parent == RUNS
    imports = runs(folder, script) if is_whole else modules(folder, script, reach)
    (folder / "imports.json").write_text(json.dumps({"imports": imports}), encoding="utf-8")
    # The SDK's own modules load only without a config for npm packages.
    words += ["--no-config", "--no-lock"] if is_whole else ["--frozen", "--config", JAVASCRIPT_TESTS / "deno.json"]
    return [str(word) for word in [*words, "--import-map", folder / "imports.json", *files]]


def runs(folder: Path, script: str = "") -> dict[str, str]:
    """Imports of whole runs, which read the text of the linked script and speak through the real SDK."""
    (folder / "linked.js").write_text(driver.rendered(script or None), encoding="utf-8")
    return {**dict(packages(driver.MODULES)), "linked-script": (folder / "linked.js").as_uri()}


def modules(folder: Path, script: str, reach: bool) -> dict[str, str]:
    package = json.loads((JAVASCRIPT_TESTS / "package.json").read_text(encoding="utf-8"))
    imports = {name: f"npm:{name}@{version}" for name, version in package["dependencies"].items()}
    imports |= dict.fromkeys(SDK, (TESTS / "doors.js").as_uri())
    if not script:
        return {**imports, "sync/": f"{SOURCES.as_uri()}/"}
    names = f"\nexport {{ {', '.join(TOP_LEVEL.findall(script))} }};\n"
    (folder / "sync.js").write_text(f"{REPORT if reach else ''}{script}{names}", encoding="utf-8")
    return {**imports, **{f"sync/{file.name}": (folder / "sync.js").as_uri() for file in SOURCES.glob("*.js")}}
