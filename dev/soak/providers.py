"""``python -m dev.soak.providers``: every operation interrupted at every call, every secret searched for and rotated.

    python -m dev.soak.providers                       all three campaigns
    python -m dev.soak.providers --only rotations      one of interruptions, secrets, rotations
    python -m dev.soak.providers --life destroy        one operation's interruptions

Writes build/soak/providers.json and docs/measurements/providers.md; ends with code 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dev import ROOT
from dev.toolchain.progress import Progress, Step
from local_dynatrace.testing import Local
from tests.engine import canaries
from tests.engine.deployment import Deployment

from . import interruptions, rotations, scratch
from .interruption import MODES, TORN

RESULTS = ROOT / "build" / "soak" / "providers.json"
PAGE = ROOT / "docs" / "measurements" / "providers.md"
CAMPAIGNS = ("secrets", "rotations", "interruptions")
BAR = 20


def bar(done: int, of: int, unit: str) -> str:
    filled = min(BAR, BAR * done // max(1, of))
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {done} of {of} {unit}"


def interrupt(lives: list[interruptions.Life], workers: int, progress: Progress) -> dict[str, Any]:
    chains = len(lives) * len(MODES)

    told = 0

    def tell(tally: interruptions.Tally, step: Step) -> None:
        nonlocal told
        text = f"{bar(tally.chains, chains, 'chains')}, {tally.interruptions} calls"
        while told < len(tally.failed):
            step.note(tally.failed[told][:200])
            told += 1
        step.doing = f"{text}, {told} failed" if told else text
        step.alive()

    with progress.step("interrupt", bar(0, chains, "chains")) as step:
        tally = interruptions.campaign(lambda found: tell(found, step), workers, lives)
        step.done = f"{tally.interruptions} interruptions, {tally.converged} converged, {tally.twins} twins"
    return {
        "interruptions": tally.interruptions,
        "converged": tally.converged,
        "twins": tally.twins,
        "lost_runtime_values": tally.lost_runtime_values,
        "repaired_state_files": tally.repaired_state_files,
        "ways": len(MODES),
        "most_calls": tally.calls,
        "failed": tally.failed,
    }


def search(progress: Progress) -> dict[str, Any]:
    with (
        progress.step("secrets", "deploying with canaries, provoking failures") as step,
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
    ):
        local = Local(Path(folder))
        try:
            searched, found = canaries.campaign(Deployment(Path(folder) / "stack", local))
        finally:
            local.close()
        step.done = f"{searched:,} searches, {len(found)} found"
    return {"canaries_searched": searched, "canaries_found": len(found), "failed": found}


def rotate(number: int, progress: Progress) -> dict[str, Any]:
    with progress.step("rotate", bar(0, number, "rotations")) as step:

        def tell(tally: rotations.Tally) -> None:
            step.doing = bar(tally.rotations, number, "rotations")
            step.alive()

        tally = rotations.campaign(number, tell)
        step.done = f"{tally.rotations} rotations, {tally.runs} runs, {tally.failed_runs} failed"
    return {
        "rotations": tally.rotations,
        "runs": tally.runs,
        "failed_runs": tally.failed_runs,
        "failed": tally.failed,
    }


def page(results: dict[str, Any]) -> str:
    """The figures as a page of the documentation."""
    shown = {key: value for key, value in results.items() if isinstance(value, int)}
    repairs = results.get("repaired_state_files", 0)
    rows = "\n".join(f"| `{key}` | {value:,} |" for key, value in shown.items())
    calls = ", ".join(f"{life} {number}" for life, number in results.get("most_calls", {}).items())
    return f"""# The providers under interruption

Written by `python -m dev.soak.providers` (part of `make soak`); `build/soak/providers.json` has the same figures.

| figure | value |
|---|---|
{rows}

**Interruptions.** Each operation is interrupted at each of its HTTP calls. The connection is cut before or after the
commit, or the call gets a 500 after it; this happens once, or at all later calls as well. Or the engine is killed, or
gets Ctrl-C. Then the same command runs again (after a killed engine: `pulumi cancel` first). It has converged if the
environment is the same as after an undisturbed operation, if there is no duplicate and no object that the state does
not know, and if the live values are untouched: nobody but a script writes or deletes the checkpoint, the lock or the
workflow config, each run finds the checkpoint that was left, and no dead run keeps the lock. Calls of each operation,
including polling: {calls or "not measured"}.
{repaired(repairs) if repairs else ""}
**Secrets.** Each secret key gets a unique value. These values are searched for in plaintext, in
{len(canaries.forms("")) - 1} other forms and in part: in state, history, backups, plan, output of every command, vault
metadata, workflow, run logs, results, pages, database and request log of the local environment. Meanwhile the writes
of a first `up`, all calls of a deployed stack and those of `destroy` fail, with errors that return what they were sent
and with cut connections. The output of `up -v=9 --logtostderr` is searched as well, except for the engine's own records
of the values that it exchanges with the program and the provider (`Marshaling property for RPC`): Pulumi writes secrets
into these in plaintext. Treat such a log as a secret.

**Rotations.** The SCM client, the log ingest token, the OAuth client and the deploy token are replaced in turn, each
with `pulumi config set` and `pulumi up`, while the schedule starts runs. The old secret is revoked when no run can
still use it.
"""


def repaired(number: int) -> str:
    return f"""
**Corrupted state files.** {number} times `kill -9` hit the engine while it wrote the state of a `file://` backend. The
next command said `{TORN}`: the file was empty or cut off. Pulumi keeps the previous state beside it
(`.pulumi/stacks/PROJECT/STACK.json.bak`). After this copy is restored (or, if there is none because nothing had been
created yet, after a new stack of the same name is created), the next `up` finds the objects that the copy does not know
by their marks, and converges. This takes one manual step more than `pulumi cancel`; the figure `converged` includes
these cases.
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.soak.providers", description="The providers' campaigns.")
    parser.add_argument("--only", choices=CAMPAIGNS)
    parser.add_argument("--life", choices=[life.name for life in interruptions.LIVES], help="interrupt this one only")
    parser.add_argument(
        "--workers", type=int, default=4, help="chains of interruptions at the same time (they wait a lot)"
    )
    parser.add_argument("--rotations", type=int, default=12)
    given = parser.parse_args(arguments)
    progress, began = Progress(), time.monotonic()
    if folder := scratch.in_memory():
        tempfile.tempdir = str(folder)
    lives = [life for life in interruptions.LIVES if given.life in (None, life.name)]
    results: dict[str, Any] = {}
    failed: list[str] = []
    campaigns: dict[str, Callable[[], dict[str, Any]]] = {
        "secrets": lambda: search(progress),
        "rotations": lambda: rotate(given.rotations, progress),
        "interruptions": lambda: interrupt(lives, given.workers, progress),
    }
    for name, run in campaigns.items():
        if given.only in (None, name) and (name == "interruptions" or not given.life):
            found = run()
            failed += found.pop("failed")
            results |= found
    results |= {"seconds": round(time.monotonic() - began), "failed": failed}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if not given.only and not given.life:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(results), encoding="utf-8")
    print("\n".join(f"  {problem[:400]}" for problem in failed[:20]))
    print(f"  written to {RESULTS.relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
