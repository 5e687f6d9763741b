"""Judges mutants of the sync script in seconds: only by what runs the part that was changed.

Once for each script, all tests run on an instrumented script that reports which of its places ran (``Reach``). Mutants
are then judged in one process (judge.js): each by the tests of whole runs that reach its place, then by worlds of the
oracle that do. What is still alive is given to the tests of the modules. The first failure kills it, and so does
exceeding its limit of CPU.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dev.toolchain.packages import DENO

from .deno_tests import RUNS, TESTS, command, runs
from .oracle import driver

LISTER = Path(__file__).with_name("mutation.js")
JUDGE = LISTER.with_name("judge.js")
ORACLE = Path(driver.__file__).parent
WORLDS = 240
"""Honest seeds of which each world's places are known. Besides, each lie in ``LIE_SEEDS`` worlds."""
LIE_SEEDS = 3
MOST_WORLDS = 40
"""Worlds that one mutant is played in, of those that reach its place."""
LIMIT_CPU_S = 30
"""Of one process. A mutant that needs all of it never ends: that is many times what an unchanged script needs."""

Mutant = dict[str, Any]
World = tuple[int, tuple[str, ...]]


def listed(script: str) -> tuple[list[Mutant], list[dict[str, Any]]]:
    """All one-line mutants in the order of the text, and the places of the script."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "script.js"), Path(folder, "mutants.json")
        source.write_text(script, encoding="utf-8")
        words = [str(DENO), "test", "--quiet", "--no-config", "--no-check", "--allow-read", "--allow-write"]
        finished = subprocess.run(
            [*words, str(LISTER), "--", source, output], cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
        if finished.returncode != 0:
            raise driver.DriverError(f"no mutants could be listed:\n{finished.stdout}{finished.stderr}")
        found = json.loads(output.read_text(encoding="utf-8"))
    return found["mutants"], found["places"]


def changed(script: str, mutant: Mutant) -> str:
    return f"{script[: mutant['start']]}{mutant['after']}{script[mutant['end'] :]}"


def instrumented(script: str, places: list[dict[str, Any]]) -> str:
    """The script, each of whose places writes its number into ``$reached`` when it runs."""
    opens = sorted(range(len(places)), key=lambda n: (places[n]["start"], -places[n]["end"]))
    closes = sorted(range(len(places)), key=lambda n: (places[n]["end"], -places[n]["start"]))
    marks = [(places[n]["end"], 0, order, places[n]["close"]) for order, n in enumerate(closes)]
    marks += [
        (places[n]["start"], 1, order, places[n]["open"].replace("HERE", f"$reached[{n}] = 1"))
        for order, n in enumerate(opens)
    ]
    parts, at = [], 0
    for place, _, _, text in sorted(marks):
        parts += [script[at:place], text]
        at = place
    return "".join([*parts, script[at:]])


def limited(command: list[str], cpu_s: int) -> list[str]:
    """The same command, killed after so many seconds of CPU: what turns in circles, however busy the machine is."""
    return ["sh", "-c", f'ulimit -t {cpu_s} && exec "$@"', "sh", *command]


def environment() -> dict[str, str]:
    return {**os.environ, "TZ": "Asia/Kolkata", "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}


def judging(word: str, script: str, plan: Any, *, limit_cpu_s: int = 3_600) -> Iterator[dict[str, Any]]:
    """The messages of judge.js; fewer than the plan asks for if it was killed."""
    with tempfile.TemporaryDirectory(prefix="judge-") as name:
        folder = Path(name)
        (folder / "imports.json").write_text(json.dumps({"imports": runs(folder, script)}), encoding="utf-8")
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        files = json.dumps([file.as_uri() for file in sorted(RUNS.glob("*_test.js"))])
        words = [DENO, "run", "--quiet", "--no-check", "--no-config", "--no-lock", "--cached-only", "--allow-read"]
        words += ["--import-map", folder / "imports.json", JUDGE]
        words += [word, folder / "linked.js", files, folder / "plan.json"]
        with (folder / "errors.txt").open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                limited([str(each) for each in words], limit_cpu_s),
                env=environment(), stdout=subprocess.PIPE, stderr=errors, encoding="utf-8",
            )  # fmt: skip
        assert process.stdout is not None
        try:
            yield from map(json.loads, process.stdout)
            if process.wait() > 0 and process.returncode < 128:
                raise driver.DriverError((folder / "errors.txt").read_text(encoding="utf-8")[-2_000:])
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def killed_in_runs(script: str, mutants: Sequence[Mutant], reach: Reach) -> Iterator[str]:
    """For each mutant what fails of whole runs and worlds, or ""."""
    shift = len(driver.rendered(script)) - len(script)  # Of one line, which holds no mutant.
    parameters = script.index("\nconst PARAMETERS = ")
    plans = []
    for mutant in mutants:
        by = shift if mutant["start"] > parameters else 0
        place = {"start": mutant["start"] + by, "end": mutant["end"] + by, "after": mutant["after"]}
        plans.append({**place, "tests": reach.runs(mutant["place"]), "worlds": reach.chosen(mutant["place"])})
    done = 0
    while done < len(plans):
        before = done
        for message in judging("mutants", script, plans[done:], limit_cpu_s=LIMIT_CPU_S):
            done += 1
            yield message["by"]
        if done == before:  # It had the whole process for itself.
            done += 1
            yield "it never ends"


def tested(words: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=environment(), capture_output=True, encoding="utf-8", check=False)


def fails_tests(script: str, files: Sequence[Path], *, limit_cpu_s: int = LIMIT_CPU_S) -> str:
    """The first test in these files of one folder that fails with this script; "": none."""
    with tempfile.TemporaryDirectory() as name:
        words = limited([*command(Path(name), files, script), "--fail-fast"], limit_cpu_s)
        said = tested(words, name)
    failed = re.search(r"^(.+) \.\.\. FAILED", said.stdout, re.MULTILINE)
    return "" if said.returncode == 0 else failed[1] if failed else "it does not load, or never ends"


@dataclass(frozen=True)
class Reach:
    """Which places of the script are run by whole runs, worlds and files of modules' tests, and in how many ms."""

    tests: dict[str, tuple[int, frozenset[int]]]
    worlds: list[tuple[World, int, frozenset[int]]]
    files: dict[str, tuple[int, frozenset[int]]]

    @classmethod
    def of(cls, script: str, places: list[dict[str, Any]], cache: Path) -> Reach:
        """Measured once for each script and state of the tests."""
        kept = cache / f"reach-{digest(script, *sources())}.json"
        if not kept.exists():
            cache.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(measured(instrumented(script, places))), encoding="utf-8")
        found = json.loads(kept.read_text(encoding="utf-8"))
        runs = [(one, one["ms"], frozenset(one["reached"])) for one in found["runs"]]
        return cls(
            tests={one["test"]: (ms, reached) for one, ms, reached in runs if "test" in one},
            worlds=[((one["seed"], tuple(one["lies"])), ms, reached) for one, ms, reached in runs if "seed" in one],
            files={file: (ms, frozenset(reached)) for file, (ms, reached) in found["files"].items()},
        )

    def runs(self, place: int) -> list[str]:
        """Tests of whole runs that reach a place, the quickest first."""
        return [test for _, test in sorted((ms, test) for test, (ms, on) in self.tests.items() if reaches(on, place))]

    def modules(self, place: int) -> list[Path]:
        """Files of modules' tests that reach a place, the quickest first."""
        fitting = [(ms, file) for file, (ms, reached) in self.files.items() if reaches(reached, place)]
        return [Path(file) for _, file in sorted(fitting)]

    def chosen(self, place: int, most: int = MOST_WORLDS) -> list[World]:
        """Worlds that reach a place: some with each lie that does, the same ones each time, the quickest first."""
        fitting = [(world, ms) for world, ms, reached in self.worlds if reaches(reached, place)]
        random.Random(place).shuffle(fitting)
        by_lie: dict[tuple[str, ...], list[tuple[World, int]]] = {}
        for world, ms in fitting:
            by_lie.setdefault(world[1], []).append((world, ms))
        picked: list[tuple[World, int]] = []
        while len(picked) < most and any(by_lie.values()):
            picked += [worlds.pop() for worlds in by_lie.values() if worlds]
        return [world for world, _ in sorted(picked[:most], key=lambda one: one[1])]


def reaches(reached: frozenset[int], place: int) -> bool:
    """What is at the top level of the script runs always."""
    return place < 0 or place in reached


def measured(script: str) -> dict[str, Any]:
    """The form of ``Reach`` as JSON."""
    files = {}
    for file in sorted(TESTS.glob("*_test.js")):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as name:
            words = command(Path(name), [file], script, reach=True)
            said = tested(words, name)
            if said.returncode != 0:
                raise driver.DriverError(f"{file.name} fails with the unchanged script: {said.stdout[-2_000:]}")
            reached = json.loads(Path(name, "reached.json").read_text(encoding="utf-8"))
        files[str(file)] = (round(1000 * (time.monotonic() - began)), reached)
    seeds: list[World] = [(seed, ()) for seed in range(WORLDS)]
    lying = [(seed, (lie,)) for lie, about in driver.all_lies().items() if about["held"] for seed in range(LIE_SEEDS)]
    return {"files": files, "runs": list(judging("reach", script, [*seeds, *lying]))}


def sources() -> list[str]:
    """All that decides about mutants."""
    folders = (RUNS, TESTS, ORACLE)
    return [file.read_text(encoding="utf-8") for folder in folders for file in sorted(folder.rglob("*.js"))]


def digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def killers(script: str, mutants: Sequence[Mutant], reach: Reach) -> Iterator[str]:
    """For each mutant what notices it: the name of a test, or a world; "": it survives."""
    for mutant, by in zip(mutants, killed_in_runs(script, mutants, reach), strict=True):
        files = reach.modules(mutant["place"])
        yield by or (fails_tests(changed(script, mutant), files) if files else "")
