"""The mutation campaign (dev/soak/mutants.py): mutants of every rule, the same ones by seed, and they are noticed."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest

from dev.soak import judging, mutants
from dev.soak.deno_tests import TESTS
from workflow_src.render import script_template

RULES = {
    "arithmetic",
    "comparison",
    "constant",
    "fixed condition",
    "logic",
    "negated condition",
    "removed await",
    "removed statement",
    "swapped call",
}


@pytest.fixture(scope="module")
def listed() -> list[judging.Mutant]:
    return judging.listed(script_template())[0]


@pytest.mark.slow
def test_a_sample_holds_every_rule_and_depends_on_the_seed_alone(listed: list[judging.Mutant]) -> None:
    script = script_template()

    sample = mutants.sampled(listed, 45, 1)

    assert {mutant["rule"] for mutant in sample} == RULES
    assert sample == mutants.sampled(listed, 45, 1) != mutants.sampled(listed, 45, 2)
    for mutant in listed:
        assert script[mutant["start"] : mutant["end"]] == mutant["before"] != mutant["after"]
        assert script[: mutant["start"]].count("\n") + 1 == mutant["line"]


def test_what_the_docs_say_about_survivors_is_about_this_script(listed: list[judging.Mutant]) -> None:
    lines = script_template().splitlines()

    explained = mutants.explanations()

    assert explained
    for row in explained:
        assert any(mutants.is_explained(lines[one["line"] - 1], one, [row]) for one in listed), row


def reach() -> judging.Reach:
    """As the campaign measures it, but of a few tests and worlds."""
    anywhere = (1, frozenset[int]())
    tests = (
        "locks that are free are taken without a word and are IDLE afterwards",
        "only what is known to be a page is one",
    )
    return judging.Reach(
        tests=dict.fromkeys(tests, anywhere),
        worlds=[((seed, ()), *anywhere) for seed in range(5)],
        files={str(TESTS / "time_test.js"): anywhere},
    )


@pytest.mark.slow
def test_a_mutant_is_noticed_by_runs_worlds_or_modules_and_the_script_itself_is_not() -> None:
    script = script_template()

    def mutant(before: str, after: str) -> judging.Mutant:
        start = script.index(before)
        return {"start": start, "end": start + len(before), "after": after, "place": -1}

    none = mutant("async function sync(", "async function sync(")
    unreleased = mutant("if (before === null || vault.deleted) return;", "return;")
    lost = mutant("overlap: 5 * MINUTE", "overlap: 0 * MINUTE")
    misread = mutant("Number(fraction.padEnd(6", "Number(fraction.padStart(6")
    broken = mutant("const SECOND =", "const SECOND = const")
    endless = mutant("async function sync(action = {}) {", "async function sync(action = {}) { while (true);")

    with patch.object(judging, "LIMIT_CPU_S", 2):
        found = list(judging.killers(script, [endless, none, unreleased, lost, misread, broken], reach()))

    assert found[:3] == ["it never ends", "", "locks that are free are taken without a word and are IDLE afterwards"]
    assert re.match(r"world \d+$", found[3])
    assert found[4].startswith("times are read as the language reads them") and found[5] == "it does not load"
