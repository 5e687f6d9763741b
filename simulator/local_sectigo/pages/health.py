"""How a connector is: one verdict with its reason, and the figures below it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.pages.render import NOTHING, duration, moment, thousands

from . import delivery
from .ledger import Run


def verdict(
    workflow: dict[str, Any], runs: list[Run], covered_us: int | None, now_us: int, interval_s: float | None
) -> tuple[str, str, str]:
    """How it is drawn, a word, and a sentence that says why."""
    over = [run for run in runs if not run.alive and run.kind != "skipped"]
    alive = [run for run in runs if run.alive]
    lag_s = None if covered_us is None else (now_us - covered_us) / MICROSECONDS
    reach = "" if covered_us is None else f"Everything up to {moment(covered_us)} is in the logs"
    failed = trailing_failures(over)
    if failed:
        what = "The last run failed" if failed == 1 else f"The last {failed} runs failed"
        return "bad", "Failing", f"{what}: {reasons(over[-failed:])}"
    if alive:
        return "busy", "Running", f"A run has been at work for {duration((now_us - alive[-1].started_us) / 1e6)}."
    silent_s = (now_us - runs[-1].started_us) / MICROSECONDS if runs else None
    if interval_s is not None and silent_s is not None and silent_s > 3 * interval_s:
        due = f"though one is due every {duration(interval_s)}"
        return "bad", "Silent", f"No run has begun for {duration(silent_s)}, {due}."
    if not workflow["deployed"] or workflow["next"] is None:
        return "warn", "Paused", f"{reach}. Nothing starts it by itself." if reach else "Nothing starts it by itself."
    if lag_s is None:
        return "warn", "Waiting", "It has not reported a run yet."
    if over and over[-1].said == "more waiting":
        return "warn", "Catching up", f"{reach}; more is waiting."
    if interval_s is not None and lag_s > 3 * interval_s + 120:
        return "warn", "Behind", f"{reach}, which is {duration(lag_s)} ago."
    return "good", "Healthy", f"{reach}."


def trailing_failures(over: list[Run]) -> int:
    return next((number for number, run in enumerate(reversed(over)) if run.kind != "bad"), len(over))


def reasons(failed: list[Run]) -> str:
    """Every different reason once, the latest first, with the number of runs where they differ."""
    counted = Counter(run.line or run.word.lower() for run in reversed(failed))
    if len(counted) == 1:
        return next(iter(counted))
    return "; ".join(f"{reason} ({count} run{'s' * (count > 1)})" for reason, count in counted.items())


def figures(
    workflow: dict[str, Any],
    runs: list[Run],
    found: delivery.Delivery,
    silences: list[dict[str, Any]],
    covered_us: int | None,
    now_us: int,
) -> list[tuple[str, str, str, str]]:
    """Name, value, a line below it, and how it is drawn."""
    there = len(found.delivered) + len(found.missing) + len(found.late) + len(found.waiting)
    waiting = f", {thousands(len(found.waiting))} waiting" if found.waiting else ""
    bad = sum(run.kind == "bad" for run in runs)
    longest = max((each["seconds"] for each in silences), default=None)
    due_s = (workflow["next"] - now_us) / MICROSECONDS if workflow["next"] else None
    return [
        ("Lag", duration((now_us - covered_us) / MICROSECONDS) if covered_us else NOTHING,
         f"complete to {moment(covered_us)[11:]}" if covered_us else "no run has reported", ""),
        ("Delivered", thousands(len(found.delivered)), f"of {thousands(there)} at SCM{waiting}", ""),
        ("Missing", thousands(len(found.missing)), lost(found), "bad" if found.missing else ""),
        ("Duplicates", thousands(len(found.extra)), "of the same event.id", "warn" if found.extra else ""),
        ("Longest silence", duration(longest) if longest else "None",
         "no run is due" if due_s is None else f"next run in {duration(max(0.0, due_s))}", "bad" if longest else ""),
        ("Runs", f"{len(runs)}", f"{bad} failed" if bad else "none failed", "bad" if bad else ""),
    ]  # fmt: skip


def lost(found: delivery.Delivery) -> str:
    if found.late:
        return f"{len(found.late)} more came too late"
    return "they are in red below" if found.missing else "none is lost"
