"""``python -m dev.soak.script``: the sync script in thousands of seeded worlds, and a sample in the real runtime.

    python -m dev.soak.script                           10,000 seeds, every other one with a lie that the script
                                                        withstands, a backlog of a million records, then a dozen
                                                        seeds in the local environment
    python -m dev.soak.script --seeds 500 --real 0      fewer, in process only
    python -m dev.soak.script --honest                  only faults, no lies
    python -m dev.soak.script --lies key-order,no-ids   these lies in every world
    python -m dev.soak.script --matrix 200              which lie breaks what: 200 seeds for each lie
    python -m dev.soak.script --seed 28 --verbose       one seed again, step by step (with --honest or --lies as before)

Writes build/soak/script.json (``--matrix``: build/soak/lies.json) and exits with code 1 if any seed failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from dev import ROOT
from dev.toolchain.progress import Progress

from .oracle import driver

RESULTS = ROOT / "build" / "soak" / "script.json"
MATRIX = RESULTS.with_name("lies.json")
BLOCK = 100
"""Seeds of one process; as many processes run at once as there are cores."""
BAR = 20
BACKLOG, BACKLOG_LATENCY_MS, BACKLOG_HOURS = 1_000_000, 500, 2.5
KILLED, KILLED_LATENCY_MS, KILL_EVERY_S = 300_000, 20, 13.0


def bar(done: int, of: int) -> str:
    filled = BAR * done // max(1, of)
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {done:,} of {of:,} seeds"


def blocks(first: int, seeds: int, lies: str) -> Iterator[tuple[dict[str, Any], dict[int, list[str]]]]:
    """Sums and failures of all seeds, block by block, on all cores."""
    firsts = range(first, first + seeds, BLOCK)
    sizes = [min(BLOCK, first + seeds - block) for block in firsts]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(partial(driver.played, lies=lies), firsts, sizes)


def add(sums: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            add(sums.setdefault(name, {}), value)
        else:
            sums[name] = max(sums.get(name, 0), value) if name == "mostInFlight" else sums.get(name, 0) + value


def campaign(first: int, seeds: int, lies: str, progress: Progress) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    failed: dict[int, list[str]] = {}
    began = time.monotonic()
    with progress.step("in process", bar(0, seeds)) as step:
        for more, problems in blocks(first, seeds, lies):
            add(sums, more)
            failed |= problems
            for seed, (problem, *_) in problems.items():
                step.note(f"seed {seed}: {problem}")
            step.doing = bar(sums["seeds"], seeds)
            step.alive()
        step.done = f"{sums['seeds']:,} seeds, {sums['kills']:,} kills, {len(failed)} failed"
    seconds = time.monotonic() - began
    return {
        "seeds": sums["seeds"],
        "lies": lies,
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
        "seconds": round(seconds, 1),
        "seeds_per_second": round(sums["seeds"] / seconds, 1),
        "failed": {str(seed): problems for seed, problems in failed.items()},
    }


def kind(problem: str) -> str:
    """A problem without its numbers, so that equal ones can be counted."""
    return re.sub(r"\S*\d\S*", "#", problem)[:100]


def matrix(first: int, seeds: int, progress: Progress) -> int:
    """Play each lie in so many worlds, and write which of them fail, and how."""
    found: dict[str, Any] = {}
    for name, about in driver.all_lies().items():
        sums: dict[str, Any] = {}
        failed: dict[int, list[str]] = {}
        with progress.step(name[:11], name) as step:
            for more, problems in blocks(first, seeds, name):
                add(sums, more)
                failed |= problems
                step.alive()
            step.done = f"{name}: {len(failed)} of {seeds} seeds fail" + (
                ", though held" * bool(about["held"] and failed)
            )
        kinds = Counter(each for problems in failed.values() for each in {kind(problem) for problem in problems})
        found[name] = {
            **about,
            "seeds": seeds,
            "failed": len(failed),
            "missing": sums["missing"],
            "repeats": sums["duplicates"],
            "problems": dict(kinds.most_common(8)),
            "failing_seeds": sorted(failed)[:10],
        }
    write(MATRIX, found)
    print(f"\n  written to {MATRIX.relative_to(ROOT)}")
    return 1 if any(each["held"] and each["failed"] for each in found.values()) else 0


def write(file: Path, results: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


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


def killed_backlog(progress: Progress) -> dict[str, Any]:
    """A backlog under kills, far from any leg's end: what each of them repeats at most."""
    with progress.step("kills", f"{KILLED:,} waiting records, a kill every {KILL_EVERY_S:g} s") as step:
        carried = driver.legs(KILLED, KILLED_LATENCY_MS, 3, kill_every_s=KILL_EVERY_S)
        most, allowed = carried["mostRepeats"], carried["mostRepeatsAllowed"]
        step.done = f"{carried['kills']} kills, each repeats {most:,} records at most (bound {allowed:,})"
    return {"records": KILLED, **{key: carried[key] for key in ("delivered", "kills", "repeats")}} | {
        "most_repeats_after_a_kill": most,
        "bound": allowed,
    }


def replay(seed: int, lies: str, verbose: bool) -> int:
    """Print one seed's story and verdict."""
    code = 0
    with driver.playing(seed, 1, lies=lies, how=("verbose",) if verbose else ()) as said:
        for message in said:
            if "at" in message:
                print(message["at"], message["text"])
            elif "run" in message:
                print(f"  run {message['run']}: {message['text']}")
            elif "failed" in message:
                code = 1
                print(
                    f"seed {seed} failed, lies: {', '.join(message['lies']) or 'none'}:",
                    *message["problems"],
                    sep="\n  ",
                )
            else:
                print(json.dumps(message["sums"]))
    return code


def again(seed: str, lies: str) -> str:
    """The command that shows a seed step by step."""
    how = {"held": "", "honest": "--honest "}.get(lies, f"--lies {lies} ")
    return f"python -m dev.soak.script --seed {seed} {how}--verbose"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.soak.script", description="The sync script's oracle campaign.")
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--real", type=int, default=12, help="seeds to play in the local environment too")
    told = parser.add_mutually_exclusive_group()
    told.add_argument("--honest", action="store_const", const="honest", dest="lies", help="only faults, no lies")
    told.add_argument("--lies", help="names with commas; without it, lies that the script withstands")
    told.add_argument("--matrix", type=int, metavar="N", help="play each lie in N worlds")
    parser.add_argument("--seed", type=int, help="play this seed alone")
    parser.add_argument("--verbose", action="store_true", help="with --seed: every step")
    parser.set_defaults(lies="held")
    given = parser.parse_args(arguments)
    if given.lies not in ("honest", "held") and (unknown := set(given.lies.split(",")) - set(driver.all_lies())):
        parser.error(f"unknown lies: {', '.join(sorted(unknown))}")
    if given.seed is not None:
        return replay(given.seed, given.lies, given.verbose)
    progress = Progress()
    if given.matrix:
        return matrix(given.first, given.matrix, progress)
    results = campaign(given.first, given.seeds, given.lies, progress)
    results["backlog"] = backlog(progress)
    results["killed_backlog"] = killed_backlog(progress)
    if given.real:
        results["real_runtime"] = sample(given.first, given.real, progress)
    write(RESULTS, results)
    shown = ("seeds", "kills", "faults", "missing", "duplicates", "duplicate_bound", "regressions")
    print("\n" + "\n".join(f"  {name:<16}{results[name]:>12,}" for name in shown))
    print(f"\n  written to {RESULTS.relative_to(ROOT)}")
    failed = list(results["failed"]) + [seed for seed, problems in results.get("real_runtime", {}).items() if problems]
    if failed:
        print(f"  failed: {', '.join(failed[:10])}; see one: {again(failed[0], given.lies)}")
    carried = results["backlog"]
    lost = carried["delivered"] < carried["records"] or carried["killed"] > 0
    carried = results["killed_backlog"]
    lost = lost or carried["delivered"] < carried["records"]
    often = carried["most_repeats_after_a_kill"] > carried["bound"]
    return 1 if failed or lost or often else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
