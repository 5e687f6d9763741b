"""The mutation campaign (dev/soak/mutants.py): mutants of every rule, the same ones by seed, and they are noticed."""

from __future__ import annotations

import pytest

from dev.soak import mutants
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
    listed = mutants.listed(script)

    sample = mutants.sampled(listed, 45, 1)

    assert {mutant["rule"] for mutant in sample} == RULES
    assert sample == mutants.sampled(listed, 45, 1) != mutants.sampled(listed, 45, 2)
    for mutant in listed:
        assert script[mutant["start"] : mutant["end"]] == mutant["before"] != mutant["after"]
        assert script[: mutant["start"]].count("\n") + 1 == mutant["line"]


@pytest.mark.slow
def test_a_mutant_is_noticed_by_worlds_or_by_tests_and_the_script_itself_is_not() -> None:
    script = script_template()
    lost = script.replace("overlap: 5 * MINUTE", "overlap: 0 * MINUTE")
    misread = script.replace("Number(fraction.padEnd(6", "Number(fraction.padStart(6")
    endless = script.replace("async function sync(action = {}) {", "async function sync(action = {}) { while (true);")

    assert not mutants.fails_in_worlds(script, 0, 10) and not mutants.fails_tests(script)
    assert script != lost and mutants.fails_in_worlds(lost, 0, mutants.MORE_SEEDS)
    assert script != misread and mutants.fails_tests(misread)
    assert script != endless and mutants.fails_in_worlds(endless, 0, 1, limit_s=5)
