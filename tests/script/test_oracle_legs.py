"""A backlog that no single run can carry: legs start each other, and the schedule goes on where their time is up."""

from __future__ import annotations

import pytest

from dev.soak.oracle import driver

pytestmark = pytest.mark.slow

RECORDS, LATENCY_MS, HOURS = 130_000, 2_000, 2
"""Two seconds a call: about 4,300 records a leg, so half an hour more of work than maxExecutionTimeMinutes (55)."""


def test_a_backlog_is_carried_by_legs_up_to_the_time_limit_and_then_by_the_next_schedule() -> None:
    carried = driver.legs(RECORDS, LATENCY_MS, HOURS)
    runs = [run for run in carried["runs"] if run["outcome"] != "skipped"]
    chain_end = next(index for index, run in enumerate(runs) if index > 0 and run["trigger"] == "Schedule")
    chain, after = runs[:chain_end], runs[chain_end]

    assert carried["delivered"] == RECORDS
    assert carried["repeats"] == 0
    assert {run["end"] for run in runs} == {"ended"}, "the platform had to kill one"
    assert [run["leg"] for run in chain] == list(range(1, len(chain) + 1))
    assert 53 <= chain[-1]["atMinute"] + chain[-1]["seconds"] / 60 <= 57.5
    assert chain[-1]["outcome"] == "more waiting"
    assert after["sent"] > 0
