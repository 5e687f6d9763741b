"""``python -m dev.soak.simulator``: the local environment under requests of all kinds, and killed again and again.

    python -m dev.soak.simulator                                           20,000 requests, 3,000 sequences, 100 kills
    python -m dev.soak.simulator --requests 500 --sequences 100 --kills 5  fewer
    python -m dev.soak.simulator --seed 7                                  other ones

Every request must be answered, never by a 500 and never with a secret; after each sequence of control calls and buttons
everything must still answer, and a reset bring back the seed; after each ``kill -9`` in the middle of writes nothing
acknowledged may be missing. Writes build/soak/simulator.json and ends with code 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev import ROOT
from dev.toolchain.progress import Progress

if TYPE_CHECKING:
    from local_dynatrace.testing import Local

RESULTS = ROOT / "build" / "soak" / "simulator.json"


def sweep(seed: int, requests: int, progress: Progress) -> dict[str, Any]:
    """Requests from the route table with everything wrong that a client may get wrong."""
    from simulator.tests import fuzz

    def prepared(local: Local) -> tuple[Any, Callable[[Any], list[int]]]:
        return fuzz.call(fuzz.prepare(local)), lambda made: [fuzz.check(local, made).status_code]

    return campaign("requests", prepared, seed, requests, progress)


def steer(seed: int, sequences: int, progress: Progress) -> dict[str, Any]:
    """Control calls and buttons with everything wrong in them, a few in a row."""
    from simulator.tests import steering

    def prepared(local: Local) -> tuple[Any, Callable[[Any], list[int]]]:
        steered = steering.prepare(local)
        return steering.calls(steered.known), lambda made: steering.play(steered, made)

    return campaign("sequences", prepared, seed, sequences, progress, scheduler=True)


def campaign(
    name: str,
    prepared: Callable[[Local], tuple[Any, Callable[[Any], list[int]]]],
    seed: int,
    examples: int,
    progress: Progress,
    **options: Any,
) -> dict[str, Any]:
    """Play so many examples of a strategy; ``prepared`` gives it, and what plays one and returns statuses."""
    import hypothesis
    from hypothesis import HealthCheck, Phase, given, settings
    from requests import RequestException

    from local_dynatrace.testing import Local

    statuses: Counter[int] = Counter()
    played = 0
    failed: list[str] = []
    with (
        progress.step(name, f"0 of {examples:,}") as step,
        tempfile.TemporaryDirectory(prefix="soak-simulator-") as folder,
    ):
        local = Local(Path(folder), clock="frozen", **options)
        try:
            strategy, play = prepared(local)

            @hypothesis.seed(seed)
            @settings(
                max_examples=examples, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
            )  # fmt: skip
            @given(strategy)
            def one(made: Any) -> None:
                nonlocal played
                statuses.update(play(made))
                played += 1
                step.doing = f"{played:,} of {examples:,}"
                step.alive()

            try:
                one()
            except (AssertionError, RequestException) as error:  # also what hung, or was cut
                failed.append(str(error)[:2000])
            if "Traceback" in (log := (Path(folder) / "local-dynatrace.log").read_text(encoding="utf-8")):
                failed.append(log[log.index("Traceback") :][:2000])
        finally:
            local.close()
        step.done = f"{statuses.total():,} answered, {len(failed)} failed"
    return {
        name: played,
        "requests": statuses.total(),
        "statuses": {str(k): statuses[k] for k in sorted(statuses)},
        "failed": failed,
    }


def kills(seed: int, rounds: int, progress: Progress) -> dict[str, Any]:
    """Killed in the middle of writes, in one state that grows."""
    from local_dynatrace.testing import Local
    from simulator.tests.crash import kill_and_look

    acknowledged, done = 0, 0
    failed: dict[str, str] = {}
    with (
        progress.step("kill -9", f"0 of {rounds}") as step,
        tempfile.TemporaryDirectory(prefix="soak-simulator-") as folder,
    ):
        local = Local(Path(folder), script_parallel=2)
        try:
            for number in range(seed, seed + rounds):
                try:
                    acknowledged += kill_and_look(local, number)
                except AssertionError as error:
                    failed[str(number)] = str(error)[:2000]
                    step.note(f"seed {number}: {failed[str(number)][:80]}")
                done += 1
                step.doing = f"{done} of {rounds}, {acknowledged:,} writes acknowledged"
                step.alive()
        finally:
            local.close()
        step.done = f"{done} kills, {acknowledged:,} writes kept, {len(failed)} failed"
    return {"kills": done, "acknowledged": acknowledged, "failed": failed}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m dev.soak.simulator", description="The local environment under load."
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--sequences", type=int, default=3_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    progress, began = Progress(), time.monotonic()
    found = {
        "seed": chosen.seed,
        "sweep": sweep(chosen.seed, chosen.requests, progress) if chosen.requests else None,
        "steer": steer(chosen.seed, chosen.sequences, progress) if chosen.sequences else None,
        "kills": kills(chosen.seed, chosen.kills, progress) if chosen.kills else None,
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(
        json.dumps({**found, "seconds": round(time.monotonic() - began, 1)}, indent=2) + "\n", encoding="utf-8"
    )
    failed = [
        part for part in (found["sweep"], found["steer"], found["kills"]) if isinstance(part, dict) and part["failed"]
    ]
    for part in failed:
        print(json.dumps(part["failed"], indent=2), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
