"""The mutation campaign (dev/soak/mutants.py): mutants of every rule, the same ones by seed, and they are noticed."""

from __future__ import annotations

import pytest

from dev.soak import judging, mutants
from dev.soak.deno_tests import RUNS, TESTS
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


def test_a_sample_holds_every_rule_and_depends_on_the_seed_alone() -> None:
    script = script_template()
    listed, places = judging.listed(script)

    sample = mutants.sampled(listed, 45, 1)

    assert {mutant["rule"] for mutant in sample} == RULES
    assert sample == mutants.sampled(listed, 45, 1) != mutants.sampled(listed, 45, 2)
    for mutant in listed:
        assert script[mutant["start"] : mutant["end"]] == mutant["before"] != mutant["after"]
        assert script[: mutant["start"]].count("\n") + 1 == mutant["line"]
        around = places[mutant["place"]]
        assert mutant["place"] < 0 or around["start"] <= mutant["start"] < mutant["end"] <= around["end"]


@pytest.mark.slow
def test_a_mutant_is_noticed_by_worlds_or_by_tests_and_the_script_itself_is_not() -> None:
    script = script_template()
    places = judging.listed(script)[1]
    lost = script.replace("overlap: 5 * MINUTE", "overlap: 0 * MINUTE")
    misread = script.replace("Number(fraction.padEnd(6", "Number(fraction.padStart(6")
    unreleased = script.replace("if (before === null || vault.deleted) return;", "return;")
    endless = script.replace("async function sync(action = {}) {", "async function sync(action = {}) { while (true);")
    worlds = [(seed, ()) for seed in range(10)]
    times, lock = [TESTS / "time_test.js"], [RUNS / "lock_test.js"]

    assert script not in (lost, misread, unreleased, endless)
    assert judging.fails_world(judging.instrumented(script, places), worlds) == ""
    assert judging.fails_tests(script, times + lock) == ""
    assert judging.fails_world(lost, worlds).startswith("world ")
    assert judging.fails_tests(misread, times) and judging.fails_tests(unreleased, lock)
    assert judging.fails_world(endless, worlds[:1], limit_cpu_s=2)
