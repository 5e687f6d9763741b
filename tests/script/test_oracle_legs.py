"""A backlog that no single run can carry: legs start each other, and the schedule goes on where their time is up."""

from __future__ import annotations

import pytest

from dev.soak.oracle import driver

pytestmark = pytest.mark.slow

RECORDS, LATENCY_MS, HOURS, MINUTES = 130_000, 1_000, 0.5, 5
"""A second a call: about 40,000 records a leg, so more than three legs of two minutes."""


def test_a_backlog_is_carried_by_legs_up_to_the_time_limit_and_then_by_the_next_schedule() -> None:
    carried = driver.legs(RECORDS, LATENCY_MS, HOURS, minutes=MINUTES)
    runs = [run for run in carried["runs"] if run["outcome"] != "skipped"]
    chain_end = next(index for index, run in enumerate(runs) if index > 0 and run["trigger"] == "Schedule")
    chain, after = runs[:chain_end], runs[chain_end]

    assert carried["delivered"] == RECORDS
    assert carried["repeats"] == 0
    assert {run["end"] for run in runs} == {"ended"}, "the platform had to kill one"
    assert [run["leg"] for run in chain] == list(range(1, len(chain) + 1))
    assert MINUTES - 2 <= chain[-1]["atMinute"] + chain[-1]["seconds"] / 60 <= MINUTES + 2
    assert chain[-1]["outcome"] == "more waiting"
    assert after["sent"] > 0


def test_L29_a_backlog_is_read_ahead_in_one_leg() -> None:
    carried = driver.legs(RECORDS // 4, LATENCY_MS // 2, HOURS)

    assert carried["runs"][0]["outcome"] == "caught up", "one page after another it takes 160 s"
    assert (carried["delivered"], carried["repeats"]) == (RECORDS // 4, 0)
