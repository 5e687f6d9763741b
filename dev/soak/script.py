"""``python -m dev.soak.script``: the sync script in thousands of seeded worlds, and a sample in the real runtime.

    python -m dev.soak.script                       10,000 seeds, a backlog of a million records, then a
                                                dozen seeds in the local environment
    python -m dev.soak.script --seeds 500 --real 0  fewer, in process only
    python -m dev.soak.script --seed 28 --verbose   one seed again, step by step

Writes build/soak/script.json and ends with code 1 if any seed failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from dev import ROOT
from dev.toolchain.progress import Progress

from .oracle import driver

RESULTS = ROOT / "build" / "soak" / "script.json"
BAR = 20
BACKLOG, BACKLOG_LATENCY_MS, BACKLOG_HOURS = 1_000_000, 500, 2.5


def bar(done: int, of: int) -> str:
    filled = BAR * done // max(1, of)
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {done:,} of {of:,} seeds"


def campaign(first: int, seeds: int, progress: Progress) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    failed: dict[int, list[str]] = {}
    began = time.monotonic()
    with progress.step("in process", bar(0, seeds)) as step, driver.playing(first, seeds) as said:
        for message in said:
            sums = message.get("sums", sums)
            if "failed" in message:
                failed[message["failed"]] = message["problems"]
                step.note(f"seed {message['failed']}: {message['problems'][0]}")
            step.doing = bar(sums.get("seeds", 0), seeds)
            step.alive()
        step.done = f"{sums['seeds']:,} seeds, {sums['kills']:,} kills, {len(failed)} failed"
    return {
        "seeds": sums["seeds"],
        "runs": sums["runs"],
        "kills": sums["kills"],
        "faults": sum(sums["faults"].values()),
        "faults_by_kind": dict(sorted(sums["faults"].items())),
        "issued": sums["issued"],
        "delivered": sums["delivered"],
        "missing": sums["missing"],
        "duplicates": sums["duplicates"],
        "duplicate_bound": sums["bound"],
        "most_in_flight": sums["mostInFlight"],
        "regressions": sums["regressions"],
        "regressions_excused": sums["excusedRegressions"],
        "seconds": round(time.monotonic() - began, 1),
        "failed": {str(seed): problems for seed, problems in failed.items()},
    }


def sample(first: int, worlds: int, progress: Progress) -> dict[str, list[str]]:
    """Problems of the first playable seeds in the local environment, by seed."""
    from local_dynatrace.testing import Local

    from .oracle import real

    found: dict[str, list[str]] = {}
    with (
        progress.step("real runtime", f"0 of {worlds} seeds") as step,
        tempfile.TemporaryDirectory(prefix="oracle-real-") as folder,
    ):
        local = Local(Path(folder))
        try:
            for seed in count(first):
                if len(found) == worlds:
                    break
                if (plan := real.playable(seed)) is None:
                    continue
                local.sim("POST", "reset")
                local.sim("POST", "clock", {"jump": "2026-01-29T10:00:00Z"})
                found[str(seed)] = real.play(local, plan)
                step.doing = f"{len(found)} of {worlds} seeds"
                step.alive()
        finally:
            local.close()
        step.done = f"{worlds} seeds, {sum(map(bool, found.values()))} failed"
    return found


def backlog(progress: Progress) -> dict[str, Any]:
    """A million waiting records: how many legs and how long in virtual time."""
    with progress.step("legs", f"{BACKLOG:,} waiting records") as step:
        carried = driver.legs(BACKLOG, BACKLOG_LATENCY_MS, BACKLOG_HOURS)
        working = [run for run in carried["runs"] if run["sent"] > 0]
        minutes = round(working[-1]["atMinute"] + working[-1]["seconds"] / 60)
        step.done = f"{carried['delivered']:,} of {BACKLOG:,} in {len(working)} legs and {minutes} virtual minutes"
    return {
        "records": BACKLOG,
        "delivered": carried["delivered"],
        "repeats": carried["repeats"],
        "legs": len(working),
        "chains": sum(run["trigger"] == "Schedule" for run in working),
        "virtual_minutes": minutes,
        "killed": sum(run["end"] == "killed" for run in carried["runs"]),
    }


def replay(seed: int, verbose: bool) -> int:
    """Print one seed's story and verdict."""
    code = 0
    with driver.playing(seed, 1, verbose=verbose) as said:
        for message in said:
            if "at" in message:
                print(message["at"], message["text"])
            elif "run" in message:
                print(f"  run {message['run']}: {message['text']}")
            elif "failed" in message:
                code = 1
                print(f"seed {seed} failed:", *message["problems"], sep="\n  ")
            else:
                print(json.dumps(message["sums"]))
    return code


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.soak.script", description="The sync script's oracle campaign.")
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--real", type=int, default=12, help="seeds to play in the local environment too")
    parser.add_argument("--seed", type=int, help="play this seed alone")
    parser.add_argument("--verbose", action="store_true", help="with --seed: every step")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        return replay(given.seed, given.verbose)
    progress = Progress()
    results = campaign(given.first, given.seeds, progress)
    results["backlog"] = backlog(progress)
    if given.real:
        results["real_runtime"] = sample(given.first, given.real, progress)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    shown = ("seeds", "kills", "faults", "missing", "duplicates", "duplicate_bound", "regressions")
    print("\n" + "\n".join(f"  {name:<16}{results[name]:>12,}" for name in shown))
    print(f"\n  written to {RESULTS.relative_to(ROOT)}")
    failed = list(results["failed"]) + [seed for seed, problems in results.get("real_runtime", {}).items() if problems]
    if failed:
        print(f"  failed: {', '.join(failed[:10])}; see one: python -m dev.soak.script --seed {failed[0]} --verbose")
    carried = results["backlog"]
    lost = carried["delivered"] < carried["records"] or carried["killed"] > 0
    return 1 if failed or lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
