"""The sync script in seeded worlds of faults and lies (dev/soak/oracle); ``make soak`` plays ten thousand of them.

Every seed that ever failed is kept below. The mutations test the oracle itself: each is a mistake that could be made in
the script, and the oracle must find it.
"""

from __future__ import annotations

import re

import pytest

from dev.soak.oracle import driver
from workflow_src.render import script_template

pytestmark = pytest.mark.slow

SEEDS = 200
LYING_SEEDS = 200
MUTANT_SEEDS = range(0, 100, 10)

KEPT = {
    2: "suppressed records were not marked again: runs less than ten minutes apart repeated them",
    9: "a last page without cursor threw the window's place away",
    28: "a batch that failed for good was passed over by the pages behind it: lost",
    31: "the fallback by time met cursors it had seen and stopped for ever",
    35: "a resumed window's marks were forgotten by the window behind it",
    219: "a run that waited went on with the checkpoint it had read before it had the lock",
    564: "two runs under a slow host clock were nobody's elder and both went on",
    652: "after a dead run hours without records were read minute by minute, leg after leg",
    907: "marks of a window that this run drained were forgotten by its next one",
    4303: "a run that failed within what had been read before left an open window behind the high water",
    7811: "a leg that stopped in its second window forgot the marks of the first",
}

MUTATIONS = {
    "no overlap": (r"overlap: 5 \* MINUTE,", "overlap: 0,", "missing"),
    "checkpoint saved before ingest": (
        r"await sendBatch\(run, (pages\.flatMap\(.*?\))\);",
        r"for (const page of pages) advance(progress, page); await saveCheckpoint(run); await sendBatch(run, \1);",
        "missing",
    ),
    "lock ignored": (
        r"async function takeLock\(run\) \{",
        "async function takeLock(run) { return true;",
        "repeated|moved the checkpoint back",
    ),
    "secret in the run log": (
        r'log\("✓ OAuth token obtained"\);',
        "console.log(btoa(run.vault.entries.ingest.value));",
        r"shows a secret \(base64",
    ),
    "coverage claimed too far": (
        r"coveredTo: covers \? formatTime\(savedHw\)",
        "coveredTo: covers ? formatTime(savedHw + 600e6)",
        "claims .* as covered",
    ),
    "success without reading": (
        r"for await \(const page of fetchPages\(run, startWindows\(run\)\)\)",
        "for await (const page of fetchPages(run, startWindows(run).slice(1)))",
        "delivered nothing while records wait",
    ),
    "each page asked for nine times": (
        r"return \{ records, token: cursor",
        "if ((run.asked = (run.asked ?? 0) + 1) % 9) return await fetchPage(run, { token, from, to });"
        " return { records, token: cursor",
        "requests for",
    ),
    "repeats not remembered": (r"memory\.overlap\.judge\(us, mark\)", '"new"', "repeated"),
}


def test_whatever_goes_wrong_in_hundreds_of_worlds_nothing_is_lost_and_repeats_are_bounded() -> None:
    sums, failed = driver.played(0, SEEDS)

    assert failed == {}
    assert sums["seeds"] == SEEDS
    assert sums["missing"] == 0
    assert sums["regressions"] == 0
    assert sums["kills"] > SEEDS
    assert 0 < sums["duplicates"] <= sums["bound"], "without any repeat the faults have not bitten"


def test_lies_that_the_script_withstands_stay_withstood() -> None:
    assert any(about["held"] for about in driver.all_lies().values())
    assert driver.played(0, LYING_SEEDS, lies="held")[1] == {}


def test_no_run_of_a_backlog_under_kills_repeats_more_than_the_bound() -> None:
    carried = driver.legs(60_000, 20, 3, kill_every_s=4)

    assert carried["delivered"] == 60_000
    assert carried["kills"] > 2
    assert 0 < carried["mostRepeats"] <= carried["mostRepeatsAllowed"]


@pytest.mark.parametrize("seed", KEPT, ids=str)
def test_a_seed_that_failed_once_passes(seed: int) -> None:
    assert driver.played(seed, 1)[1] == {}, KEPT[seed]


@pytest.mark.parametrize("mistake", MUTATIONS, ids=lambda name: name.replace(" ", "-"))
def test_the_oracle_finds_a_mistake_in_the_script(mistake: str) -> None:
    pattern, replacement, symptom = MUTATIONS[mistake]
    mutant, count = re.subn(pattern, replacement, script_template())
    assert count == 1, f"the script's text has changed; adapt the mutation '{mistake}'"

    seen: list[str] = []
    for first in MUTANT_SEEDS:
        _, failed = driver.played(first, MUTANT_SEEDS.step, script=driver.rendered(mutant))
        seen += [problem for found in failed.values() for problem in found]
        if any(re.search(symptom, problem) for problem in seen):
            return
    pytest.fail(f"{len(seen)} problems, none of them that")


def test_the_same_seed_is_the_same_world() -> None:
    assert driver.played(7, 10) == driver.played(7, 10)
    assert driver.schedule(7) == driver.schedule(7)
    assert driver.schedule(7) != driver.schedule(8)
