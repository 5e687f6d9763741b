"""``python -m dev.soak.mutants``: do the tests of the sync script notice a mistake in it?

    python -m dev.soak.mutants                  200 one-line mutants, sampled by seed over all rules
    python -m dev.soak.mutants --count 60       fewer
    python -m dev.soak.mutants --seed 7         another sample

Each mutant of the linked ``workflow_src/sync.js`` is played by the oracle and given to the tests of the script's inner
functions, until one of them fails. Writes build/soak/mutants.json: ``mutants``, ``killed``, ``survivors``. Exits with
code 1 if fewer than 95 % are killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dev import ROOT
from dev.toolchain.packages import DENO, JAVASCRIPT_TESTS
from dev.toolchain.progress import Progress
from workflow_src.render import script_template

from .oracle import driver

RESULTS = ROOT / "build" / "soak" / "mutants.json"
LISTER = Path(__file__).with_name("mutation.js")
TESTS = ROOT / "tests" / "script" / "javascript"
FIRST_SEEDS, MORE_SEEDS = 40, 400
"""Most mutants fail in the first worlds; only the others are worth the tests and many more worlds."""
LIMIT_S = 120
"""A mutant that takes longer turns in circles. Many times what an unchanged script needs."""
BAR = 0.95
TOP_LEVEL = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)
IMPORT = re.compile(r'from "(sync(?:/[\w.]+)?|@dynatrace-sdk/[\w-]+)"')

Mutant = dict[str, Any]


def listed(script: str) -> list[Mutant]:
    """All one-line mutants, in the order of the text."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "script.js"), Path(folder, "mutants.json")
        source.write_text(script, encoding="utf-8")
        command: list[str | Path] = [
            DENO,
            "test",
            "--quiet",
            "--no-config",
            "--no-check",
            "--allow-read",
            "--allow-write",
            LISTER,
        ]
        finished = subprocess.run(
            [*command, "--", source, output], cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
        if finished.returncode != 0:
            raise driver.DriverError(f"no mutants could be listed:\n{finished.stdout}{finished.stderr}")
        mutants: list[Mutant] = json.loads(output.read_text(encoding="utf-8"))
    return mutants


def sampled(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """As many of each rule as of the others, as far as there are any; at most one for each place."""
    chance = random.Random(seed)
    by_rule: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in chance.sample(mutants, len(mutants)):
        by_rule[mutant["rule"]].append(mutant)
    chosen: dict[tuple[int, int], Mutant] = {}
    while len(chosen) < count and any(by_rule.values()):
        for rule in sorted(by_rule):
            if by_rule[rule] and len(chosen) < count:
                mutant = by_rule[rule].pop()
                chosen.setdefault((mutant["start"], mutant["end"]), mutant)
    return sorted(chosen.values(), key=lambda mutant: int(mutant["start"]))


def changed(script: str, mutant: Mutant) -> str:
    return f"{script[: mutant['start']]}{mutant['after']}{script[mutant['end'] :]}"


def fails_in_worlds(script: str, first: int, count: int, *, limit_s: float = LIMIT_S) -> bool:
    try:
        _, failed = driver.played(first, count, script=driver.rendered(script), lies="held", stop=True, limit_s=limit_s)
    except (driver.DriverError, ValueError):
        return True  # it does not even load, or it never ends
    return bool(failed)


def fails_tests(script: str) -> bool:
    """Whether a test of the script's inner functions fails. All of the linked script's modules are the mutant."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        module = folder / "sync.js"
        module.write_text(f"{script}\nexport {{ {', '.join(TOP_LEVEL.findall(script))} }};\n", encoding="utf-8")
        files = sorted(TESTS.glob("*_test.js"))
        imported = {word for file in files for word in IMPORT.findall(file.read_text(encoding="utf-8") + script)}
        package = json.loads((JAVASCRIPT_TESTS / "package.json").read_text(encoding="utf-8"))
        imports = {
            **{f"{word}": (module if word.startswith("sync") else TESTS / "doors.js").as_uri() for word in imported},
            **{package: f"npm:{package}@{version}" for package, version in package["dependencies"].items()},
        }
        (folder / "imports.json").write_text(json.dumps({"imports": imports}), encoding="utf-8")
        command: list[str | Path] = [
            DENO,
            "test",
            "--quiet",
            "--no-check",
            "--allow-read",
            "--allow-env",
            "--cached-only",
            "--frozen",
        ]
        command += ["--fail-fast", "--config", JAVASCRIPT_TESTS / "deno.json", "--import-map", folder / "imports.json"]
        environment = {**os.environ, "TZ": "Asia/Kolkata", "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
        try:
            finished = subprocess.run(
                [*command, *files], cwd=folder, env=environment, capture_output=True, check=False, timeout=LIMIT_S
            )
        except subprocess.TimeoutExpired:
            return True
        return finished.returncode != 0


def killer(script: str) -> str:
    """What notices the mutant; nothing: it survives."""
    if fails_in_worlds(script, 0, FIRST_SEEDS):
        return "oracle"
    if fails_tests(script):
        return "tests"
    return "oracle" if fails_in_worlds(script, FIRST_SEEDS, MORE_SEEDS) else ""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.soak.mutants", description="One-line mistakes in the script.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    script = script_template()
    if killer(script):
        print("the unchanged script fails already: nothing can be said about mutants", file=sys.stderr)
        return 1
    mutants = sampled(listed(script), given.count, given.seed)
    survivors: list[Mutant] = []
    killed: Counter[str] = Counter()
    progress = Progress()
    with progress.step("mutants", f"0 of {len(mutants)}") as step, ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, by in zip(mutants, pool.map(lambda one: killer(changed(script, one)), mutants), strict=True):
            killed[by] += 1
            if not by:
                survivors.append(mutant)
                step.note(f"line {mutant['line']}: {mutant['before']} -> {mutant['after']}")
            step.doing = f"{killed.total()} of {len(mutants)}, {len(survivors)} survive"
            step.alive()
        step.done = f"{len(mutants)} mutants, {len(survivors)} survive"
    lines = script.splitlines()
    results = {
        "mutants": len(mutants),
        "killed": len(mutants) - len(survivors),
        "killed_by": {by: count for by, count in sorted(killed.items()) if by},
        "seed": given.seed,
        "survivors": [
            {**{key: one[key] for key in ("line", "rule", "before", "after")}, "text": lines[one["line"] - 1].strip()}
            for one in survivors
        ],
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    share = results["killed"] / len(mutants)
    print(f"\n  {results['killed']} of {len(mutants)} killed ({share:.1%}), written to {RESULTS.relative_to(ROOT)}")
    return 0 if share >= BAR else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
