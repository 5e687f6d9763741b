"""``verify``: run the checks against a stack's environment and say what is confirmed, refuted and not checked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import requests

from providers.api.errors import DynatraceError

# Each module registers its checks, in this order.
from . import access, vault, settings, workflows, logs, scm  # isort: skip
from ..stack import ROOT, Stack
from .facts import CHECKS, Fact, NotChecked, Refuted, Verdict
from .probe import Probe

FOLDER = ROOT / "build" / "verify"
MODULES = (access, vault, settings, workflows, logs, scm)
Row = tuple[Fact, Verdict, str]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", default="", help="names of checks, separated by commas (default: all)")
    parser.add_argument("--slow", action="store_true", help="include checks that take minutes")
    parser.add_argument(
        "--with-logs", action="store_true", help="send a few log records, which cannot be deleted again"
    )
    parser.add_argument("--record", type=Path, default=FOLDER, help=f"folder for the scrubbed answers ({FOLDER})")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: nothing is refuted; 1: something is. Raises StackError, PreflightFailed."""
    environment = stack.environment
    environment.ready()  # a wrong token would refute every fact
    probe = Probe(environment, stack.config, slow=options.slow, with_logs=options.with_logs)
    wanted = {name.strip() for name in options.only.split(",") if name.strip()}
    if unknown := wanted - CHECKS.keys():
        raise DynatraceError(f"--only: there is no check {', '.join(sorted(unknown))}; known: {', '.join(CHECKS)}")
    if not options.json:
        print(f"Scratch objects are named “{probe.name}”.\n")
    try:
        rows = [checked(probe, name) for name in CHECKS if not wanted or name in wanted]
    finally:
        probe.close()
    shown = [as_shown(row) for row in rows]
    file = probe.recording.write(options.record, stack.name, shown)
    if options.json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        print("\n".join([*map(line, rows), "", summary(rows), f"The answers, scrubbed: {file}"]))
    return 1 if any(verdict == "REFUTED" for _, verdict, _ in rows) else 0


def checked(probe: Probe, name: str) -> Row:
    """The check's verdict; whatever goes wrong in it leaves the others alone."""
    fact, check = CHECKS[name]
    probe.recording.check = name
    redact = probe.environment.redact
    try:
        return fact, "confirmed", redact(check(probe))
    except Refuted as refuted:
        return fact, "REFUTED", redact(str(refuted))
    except NotChecked as not_checked:
        return fact, "not checked", redact(str(not_checked))
    except (DynatraceError, requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        return fact, "not checked", redact(f"an answer of an unexpected form: {type(error).__name__}: {error}")[:300]


def line(row: Row) -> str:
    fact, verdict, note = row
    text = f"{verdict:<11}  {fact.name}: {fact.claim} (page {fact.page})"
    if note:
        text += f"\n             {note}"
    if verdict == "REFUTED":
        text += f"\n             To change: {fact.change.shown}"
    return text


def as_shown(row: Row) -> dict[str, str]:
    fact, verdict, note = row
    return {
        "name": fact.name,
        "claim": fact.claim,
        "facts": fact.page,
        "verdict": verdict.lower(),
        "note": note,
        "change": fact.change.shown,
    }


def summary(rows: list[Row]) -> str:
    counts = {verdict: sum(one == verdict for _, one, _ in rows) for verdict in ("confirmed", "REFUTED", "not checked")}
    return ", ".join(f"{count} {verdict.lower()}" for verdict, count in counts.items())
