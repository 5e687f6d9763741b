"""A kill after every step of a run: the next scheduled run is whole again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .connector import Connector, record

INTERVAL_MINUTES = 10


def issue(connector: Connector, name: str) -> set[str]:
    """Five records that the next run finds, over three pages."""
    ids = {f"{name} {n}" for n in range(5)}
    connector.issue(*(record(id, connector.now - timedelta(minutes=2)) for id in sorted(ids)))
    return ids


def step_of(line: dict[str, Any]) -> str:
    return f"{line['method']} {line['path'].rsplit('/', 1)[-1][:12]}"


def test_wherever_a_run_is_killed_the_next_one_brings_everything_and_repeats_only_what_was_in_flight(
    connector: Connector,
) -> None:
    # Killed after a step took effect: what is left behind is what a death before the next step leaves.
    connector.options(scm_page_size=2)
    issued = issue(connector, "first")
    connector.run()
    connector.pass_time(INTERVAL_MINUTES)
    issued |= issue(connector, "whole")
    connector.local.sim("DELETE", "requests")
    connector.run()
    # A run's requests are its awaits: all but the pauses between retries are one.
    steps = [step_of(line) for line in connector.requests()]
    assert len(steps) > 15 and steps.count("GET records") == 6 and steps.count("POST ingest") > 1
    assert sum(step.startswith("PUT") for step in steps) == 3  # lock, checkpoint, lock

    for nth, step in enumerate(steps, start=1):
        connector.pass_time(INTERVAL_MINUTES)
        issued |= issue(connector, f"{nth} {step}")
        connector.fault(api="*", caller="script", nth=nth, script="kill", when="after")
        killed = connector.run()
        connector.clear_faults()
        connector.pass_time(INTERVAL_MINUTES)

        ran = connector.run()

        at = f"killed after step {nth}, {step}"
        assert killed.state == "ERROR" or killed.outcome == "caught up", at
        assert ran.outcome == "caught up", at
        assert ran.result["sent"] <= 5, at
        assert connector.read("lock") == "IDLE", at
        assert connector.reached == connector.now - timedelta(minutes=1), at
    assert set(connector.ids_arrived()) == issued
    # Each kill repeats at most the five records of its run.
    arrived, different = connector.count()
    assert 0 < arrived - different <= 5 * len(steps)


def test_kills_one_after_the_other_lose_nothing_and_leave_no_hole_in_the_ledger(connector: Connector) -> None:
    connector.options(scm_page_size=2)
    issued = issue(connector, "first")
    connector.run()
    for nth in (12, 20, 15, 9, 18):
        connector.pass_time(INTERVAL_MINUTES)
        issued |= issue(connector, f"at {nth}")
        connector.fault(api="*", caller="script", nth=nth, script="kill", when="after")
        connector.run()
        connector.clear_faults()
    connector.pass_time(INTERVAL_MINUTES)

    connector.run()

    assert set(connector.ids_arrived()) == issued
    covered = [
        (entry["connector.coveredFrom"], entry["connector.coveredTo"])
        for entry in connector.ledger()
        if "connector.coveredTo" in entry
    ]
    reached = covered[0][1]
    for begin, end in covered[1:]:
        assert begin <= reached
        reached = max(reached, end)
