"""``python -m dev.soak.mutants``: do the tests of the sync script notice a mistake in it?

    python -m dev.soak.mutants                  200 one-line mutants, sampled by seed over all rules
    python -m dev.soak.mutants --count 60       fewer
    python -m dev.soak.mutants --seed 7         another sample
    python -m dev.soak.mutants --fresh          forgets earlier verdicts

Each mutant of the linked ``workflow_src/sync.js`` is given to the tests in Deno and to the oracle's worlds that run the
changed part (judging.py). Verdicts are kept in build/soak/mutants/, so an interrupted campaign continues; a survivor is
judged again when the tests have changed. Writes build/soak/mutants.json: ``mutants``, ``killed``, ``survivors``.
Exits with code 1 if fewer than 95 % are killed.

Some changes are no mutants, as nobody would call them a mistake (mutation.js):

- words for people: what ``log``, ``warn``, ``Failure``, ``Stop``, ``describe`` and ``clean`` are called with;
- a size or a time from 10 on is changed by a factor of ten, not by one: its value was chosen by measure;
- ``return await`` outside of a ``try``: without the ``await`` the caller awaits the same promise;
- the line of parameters, which a deployment replaces.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter, defaultdict

from dev import ROOT
from dev.toolchain.progress import Progress
from workflow_src.render import script_template

from . import judging
from .judging import Mutant, changed, listed

RESULTS = ROOT / "build" / "soak" / "mutants.json"
VERDICTS = RESULTS.with_suffix("") / "verdicts.json"
EXPLANATIONS = ROOT / "docs" / "measurements" / "mutants.md"
ROW = re.compile(r"^\| `(.+)` \| `(.+)` -> `(.+)` \| (.+) \|$", re.MULTILINE)
SAME = "nothing changed"
BAR = 0.95


def sampled(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """As many of each rule as of the others, as far as there are any; at most one for each place."""
    chance = random.Random(seed)
    by_rule: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in chance.sample(mutants, len(mutants)):
        if mutant["rule"] != SAME:
            by_rule[mutant["rule"]].append(mutant)
    chosen: dict[tuple[int, int], Mutant] = {}
    while len(chosen) < count and any(by_rule.values()):
        for rule in sorted(by_rule):
            if by_rule[rule] and len(chosen) < count:
                mutant = by_rule[rule].pop()
                chosen.setdefault((mutant["start"], mutant["end"]), mutant)
    return sorted(chosen.values(), key=lambda mutant: int(mutant["start"]))


class Verdicts:
    """By mutant: what killed it, or the state of the tests that it survived."""

    def __init__(self, script: str, *, fresh: bool) -> None:
        self.script = script
        self.tests = judging.digest(*judging.sources())
        found = {} if fresh or not VERDICTS.exists() else json.loads(VERDICTS.read_text(encoding="utf-8"))
        self.kept: dict[str, dict[str, str]] = found

    def key(self, mutant: Mutant) -> str:
        return judging.digest(changed(self.script, mutant))

    def is_open(self, mutant: Mutant) -> bool:
        known = self.kept.get(self.key(mutant))
        return known is None or (not known["by"] and known["tests"] != self.tests)

    def keep(self, mutant: Mutant, by: str) -> None:
        self.kept[self.key(mutant)] = {"by": by, "tests": self.tests}
        VERDICTS.parent.mkdir(parents=True, exist_ok=True)
        VERDICTS.write_text(json.dumps(self.kept, indent=1), encoding="utf-8")

    def of(self, mutant: Mutant) -> str:
        """What killed it; "": it survives."""
        return self.kept[self.key(mutant)]["by"]


def explanations() -> list[tuple[str, str, str]]:
    """Of the survivors that the docs explain: a part of the line, and the change."""
    rows = ROW.findall(EXPLANATIONS.read_text(encoding="utf-8").replace("\\|", "|"))
    return [(line, before, after) for line, before, after, _ in rows]


def is_explained(text: str, mutant: Mutant, rows: list[tuple[str, str, str]]) -> bool:
    change = (mutant["before"].strip(), mutant["after"].strip())
    return any(line in text and change == (before, after) for line, before, after in rows)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.soak.mutants", description="One-line mistakes in the script.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args(arguments)
    script = script_template()
    progress = Progress()
    with progress.step("mutants", "measuring what the tests run") as step:
        found, places = listed(script)
        reach = judging.Reach.of(script, places, VERDICTS.parent)
        mutants, verdicts = sampled(found, given.count, given.seed), Verdicts(script, fresh=given.fresh)
        left = [mutant for mutant in mutants if verdicts.is_open(mutant)]
        for number, (mutant, by) in enumerate(zip(left, judging.killers(script, left, reach), strict=True), 1):
            verdicts.keep(mutant, by)
            if not by:
                step.note(f"line {mutant['line']}: {mutant['before']} -> {mutant['after']}")
            step.doing = f"{number} of {len(left)}"
            step.alive()
        survivors = [mutant for mutant in mutants if not verdicts.of(mutant)]
        killed = Counter("worlds" if by.startswith("world") else "tests" for by in map(verdicts.of, mutants) if by)
        step.done = f"{len(mutants)} mutants, {len(survivors)} survive"
    lines = script.splitlines()
    results = {
        "mutants": len(mutants),
        "killed": len(mutants) - len(survivors),
        "killed_by": dict(sorted(killed.items())),
        "seed": given.seed,
        "survivors": [
            {
                **{key: one[key] for key in ("line", "rule", "before", "after")},
                "text": lines[one["line"] - 1].strip(),
                "explained": is_explained(lines[one["line"] - 1], one, explanations()),
            }
            for one in survivors
        ],
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for one in results["survivors"]:
        if not one["explained"]:
            print(f"  not in {EXPLANATIONS.relative_to(ROOT)}: line {one['line']}, {one['before']} -> {one['after']}")
    share = results["killed"] / len(mutants)
    print(f"\n  {results['killed']} of {len(mutants)} killed ({share:.1%}), written to {RESULTS.relative_to(ROOT)}")
    return 0 if share >= BAR else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
