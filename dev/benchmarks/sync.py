"""``python -m dev.benchmarks.sync``: how fast the sync script carries records, against the floor and two peers.

60,000 records in pages of 100 with 0, 20 and 50 ms for each page, all against the same fake SCM and sink
(wire/server.js), one contestant after another; then the script alone with 1,000 to 1,000,000 records. Peers are built
here, never by set-up or tests (Go and package registries are needed; ``--without-peers`` leaves them out). Prints a
table, writes build/bench/sync.json and a picture beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from dev import ROOT
from dev.toolchain.progress import Progress

from .chart import picture
from .contestants import BUILD, CONTESTANTS, HERE, Figures, measure

OUTPUT = ROOT / "build" / "bench" / "sync.json"
RECORDS = 60_000
ROUNDS = {0: 3, 20: 3, 50: 2}
"""How often each contestant runs at a latency in ms. They take turns and the best counts: noise can only slow down."""
CURVE = (1_000, 10_000, 100_000, 1_000_000)
PEERS = ("benthos", "dlt")


def build(progress: Progress) -> list[str]:
    """Build the peers that are missing under build/peers; returns those that are there."""
    BUILD.mkdir(parents=True, exist_ok=True)
    if not (BUILD / "benthos").exists() and shutil.which("go"):
        run(progress, "benthos", ["go", "build", "-o", str(BUILD / "benthos"), "."], HERE / "peers" / "benthos")
    if not (BUILD / "dlt" / "bin" / "dlt").exists():
        python = BUILD / "dlt" / "bin" / "python"
        run(progress, "dlt", [sys.executable, "-m", "venv", "--clear", str(BUILD / "dlt")], ROOT)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        run(progress, "dlt", [*pip, "-r", str(HERE / "peers" / "dlt" / "requirements.txt")], ROOT)
    if not (BUILD / "benthos").exists():
        print("  benthos is left out: it is built with Go, and `go` is not on PATH")
    return [name for name in PEERS if (BUILD / name).exists()]


def run(progress: Progress, name: str, command: list[str], folder: Path) -> None:
    with progress.step(name, f"building a peer: {Path(command[0]).name}"):
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{name} could not be built (--without-peers leaves it out):\n{done.stderr[-2000:]}")


def contest(names: list[str], progress: Progress) -> dict[str, dict[int, Figures]]:
    table: dict[str, dict[int, Figures]] = {name: {} for name in names}
    for latency_ms, rounds in ROUNDS.items():
        runs: dict[str, list[Figures]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                with progress.step(name, f"{RECORDS:,} records, {latency_ms} ms a page") as step:
                    runs[name].append(figures := measure(name, RECORDS, latency_ms))
                    step.done = f"{latency_ms:>3} ms a page: {figures.rate:>9,.0f} records/s"
        for name, found in runs.items():
            table[name][latency_ms] = min(found, key=lambda figures: figures.seconds)
    return table


def curve(progress: Progress) -> list[Figures]:
    found = []
    for records in CURVE:
        with progress.step("ours", f"{records:,} records, no latency") as step:
            found.append(figures := measure("ours", records, 0))
            step.done = f"{records:>9,} records: {figures.seconds:.2f} s, {figures.peak_rss_mb:.0f} MB"
    return found


def summary(table: dict[str, dict[int, Figures]], grown: list[Figures]) -> dict[str, float]:
    """The ratios, in records per second; above 1: the script is faster."""
    found = {}
    ours = table["ours"]
    for latency_ms in ROUNDS:
        for name in table:
            if name != "ours":
                found[f"ours_over_{name}_{latency_ms}ms"] = round(
                    ours[latency_ms].rate / table[name][latency_ms].rate, 3
                )
    for figures in grown:
        found[f"seconds_{figures.records}"] = round(figures.seconds, 3)
    if grown:
        # V8's heap, which the platform limits to 256 MB; the process as a whole has the runtime's own 60 MB in it.
        found["peak_mb_1m"] = grown[-1].heap_mb
        found["peak_rss_mb_1m"] = grown[-1].peak_rss_mb
        # How far the longest run is from the straight line through the one before: 1 is on it.
        found["straightness"] = round(grown[-1].seconds / grown[-2].seconds / (CURVE[-1] / CURVE[-2]), 3)
    return found


def row(contestant: str, figures: Figures) -> dict[str, Any]:
    return {"contestant": contestant, **vars(figures), "records_per_second": round(figures.rate)}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.benchmarks.sync", description="Speed of the sync script.")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--without-curve", action="store_true")
    given = parser.parse_args(arguments)
    progress = Progress()
    peers = [] if given.without_peers else build(progress)
    names = [name for name in CONTESTANTS if name in peers or name not in PEERS]
    table = contest(names, progress)
    grown = [] if given.without_curve else curve(progress)
    figures = summary(table, grown)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    contest_rows = [row(name, each) for name, by_latency in table.items() for each in by_latency.values()]
    rows = {"contest": contest_rows, "curve": [row("ours", each) for each in grown]}
    OUTPUT.write_text(json.dumps({**figures, **rows}, indent=2) + "\n", encoding="utf-8")
    OUTPUT.with_suffix(".svg").write_text(picture(table, grown), encoding="utf-8")
    print("\n" + "\n".join(f"  {name:<26}{value:>10,.3f}" for name, value in figures.items()))
    print(f"\n  written to {OUTPUT.relative_to(ROOT)} and sync.svg beside it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
