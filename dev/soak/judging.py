"""Judges a mutant of the sync script in seconds: only by what runs the part that was changed.

Once for each script, all tests run on an instrumented script that reports which of its places ran (``Reach``). A mutant
is then given to the tests in Deno that reach its place, and to worlds of the oracle that reach it. What fails first
kills it; what exceeds its limit of CPU counts as failed.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dev.toolchain.packages import DENO

from .deno_tests import RUNS, TESTS, command
from .oracle import driver

LISTER = Path(__file__).with_name("mutation.js")
ORACLE = Path(driver.__file__).parent
WORLDS = 240
"""Honest seeds of which each world's places are known. Besides, each lie in ``LIE_SEEDS`` worlds."""
LIE_SEEDS = 3
MOST_WORLDS = 40
"""Worlds that one mutant is played in, of those that reach its place."""
LIMIT_CPU_S = 20
"""Many times what an unchanged script needs."""

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


def fails_tests(script: str, files: Sequence[Path] | None = None, *, limit_cpu_s: int = LIMIT_CPU_S) -> str:
    """The first test in Deno that fails with this script in the place of its modules; of these files, or of all."""
    for folder in (RUNS, TESTS):
        chosen = [file for file in (test_files() if files is None else files) if file.parent == folder]
        with tempfile.TemporaryDirectory() as name:
            words = driver.limited([*command(Path(name), chosen or [folder], script), "--fail-fast"], limit_cpu_s)
            if chosen and (said := run_tests(words, name)).returncode != 0:
                failed = re.search(r"^(.+) \.\.\. FAILED", said.stdout, re.MULTILINE)
                return failed[1] if failed else "tests: it does not load, or never ends"
    return ""


def run_tests(words: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TZ": "Asia/Kolkata", "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)


def fails_world(script: str, worlds: Iterable[World], *, limit_cpu_s: int = LIMIT_CPU_S) -> str:
    """The first world that fails, as ``seed lies``; a script that does not load or never ends fails as well."""
    text = json.dumps(list(worlds))
    try:
        words = ("worlds", "{script}", text)
        with driver.running(*words, script=driver.rendered(script), limit_cpu_s=limit_cpu_s) as said:
            for message in said:
                return f"world {message['failed']} {' '.join(message['lies'])}".strip()
    except (driver.DriverError, ValueError):
        return "worlds: it does not load, or never ends"
    return ""


@dataclass(frozen=True)
class Reach:
    """Which places of the script the tests and the worlds reach, and the milliseconds that they take."""

    files: dict[str, tuple[int, frozenset[int]]]
    worlds: list[tuple[World, int, frozenset[int]]]

    @classmethod
    def of(cls, script: str, places: list[dict[str, Any]], cache: Path) -> Reach:
        """Measured once for each script and state of the tests."""
        kept = cache / f"reach-{digest(script, *sources())}.json"
        if not kept.exists():
            cache.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(measured(instrumented(script, places))), encoding="utf-8")
        found = json.loads(kept.read_text(encoding="utf-8"))
        worlds = [((one["seed"], tuple(one["lies"])), one["ms"], frozenset(one["reached"])) for one in found["worlds"]]
        files = {file: (ms, frozenset(places)) for file, (ms, places) in found["files"].items()}
        return cls(files, worlds)

    def tests(self, place: int) -> list[Path]:
        """The files that reach a place, the quickest first."""
        fitting = [(ms, file) for file, (ms, places) in self.files.items() if place < 0 or place in places]
        return [Path(file) for _, file in sorted(fitting)]

    def chosen(self, place: int, most: int = MOST_WORLDS) -> list[World]:
        """Worlds that reach a place: some with each lie that does, the same ones each time, the quickest first."""
        fitting = [(world, ms) for world, ms, places in self.worlds if place < 0 or place in places]
        random.Random(place).shuffle(fitting)
        by_lie: dict[tuple[str, ...], list[tuple[World, int]]] = {}
        for world, ms in fitting:
            by_lie.setdefault(world[1], []).append((world, ms))
        picked: list[tuple[World, int]] = []
        while len(picked) < most and any(by_lie.values()):
            picked += [worlds.pop() for worlds in by_lie.values() if worlds]
        return [world for world, _ in sorted(picked[:most], key=lambda one: one[1])]


def measured(script: str) -> dict[str, Any]:
    """The form of ``Reach`` as JSON."""
    files = {}
    for file in test_files():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as name:
            said = run_tests(command(Path(name), [file], script, reach=True), name)
            if said.returncode != 0:
                raise driver.DriverError(f"{file.name} fails with the unchanged script: {said.stdout[-2_000:]}")
            reached = json.loads(Path(name, "reached.json").read_text(encoding="utf-8"))
        files[str(file)] = (round(1000 * (time.monotonic() - began)), reached)
    seeds: list[World] = [(seed, ()) for seed in range(WORLDS)]
    lying = [(seed, (lie,)) for lie, about in driver.all_lies().items() if about["held"] for seed in range(LIE_SEEDS)]
    text = json.dumps([*seeds, *lying])
    with driver.running("worlds", "{script}", text, "reach", script=driver.rendered(script)) as said_all:
        worlds = list(said_all)
    if failed := [message for message in worlds if "failed" in message]:
        raise driver.DriverError(f"a world fails with the unchanged script: {failed[0]}")
    return {"files": files, "worlds": worlds}


def test_files() -> list[Path]:
    return [file for folder in (RUNS, TESTS) for file in sorted(folder.glob("*_test.js"))]


def sources() -> list[str]:
    files = [*test_files(), *sorted(RUNS.glob("*.js")), *sorted(ORACLE.rglob("*.js"))]
    return [file.read_text(encoding="utf-8") for file in files]


def digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def killer(script: str, mutant: Mutant, reach: Reach) -> str:
    """What notices the mutant: a test's name or a world; "": it survives."""
    text = changed(script, mutant)
    return fails_tests(text, reach.tests(mutant["place"])) or fails_world(text, reach.chosen(mutant["place"]))
