"""One operation of Pulumi, interrupted at its k-th HTTP call, and then done again by hand.

Faults are rules of the local environment that hit the k-th call of clients (not of scripts). For the engine's end that
call is held (the clock is stopped) while the engine is killed or gets Ctrl-C; then it is let go, so that it commits
although nobody waits for it any more.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_dynatrace.testing import Local
from tests.engine import inside
from tests.engine.deployment import Deployment, Done

ANY = "* /[!_]*"
"""Every call, save those of the campaign itself to the control API."""
FAULTS: dict[str, dict[str, Any]] = {
    "cut before the commit": {"cut": "before"},
    "cut after the commit": {"cut": "after"},
    "500 after the commit": {"status": 500, "when": "after"},
}
SIGNALS = {"engine killed": signal.SIGKILL, "Ctrl-C": signal.SIGINT}
MODES = [*(f"{mode}, {lasting}" for lasting in ("from then on", "once") for mode in FAULTS), *SIGNALS]
"""A fault that comes once the operation may overcome by itself; then "again" is a second `up` without changes."""
QUIET_S = 0.3
LOGGED_S = 10.0
"""A call is in the request log when it has been answered or cut."""
TORN = "failed to load checkpoint"


@dataclass
class Outcome:
    """What came of one interruption."""

    call: str
    """The call that was hit, ``POST /api/v2/credentials``; "" if the operation made fewer than k."""
    repairs: int = 0
    problems: list[str] = field(default_factory=list)


def interrupted(
    stack: Deployment, operation: Callable[..., Done], words: tuple[str, ...], mode: str, k: int, calls: str = ANY
) -> Outcome:
    """Interrupt ``operation`` (whose command line is ``words``), then do it again until it is through.

    Args:
        k: at which call, counted from 1.
        calls: which ones count: method and path, both patterns.
    """
    local = stack.local
    local.sim("POST", "clock", {"mode": "frozen"})
    local.sim("DELETE", "faults")
    method, path = calls.split(" ", 1)
    rule = {"caller": "outside", "method": method, "path": path, "nth": k}
    if mode in SIGNALS:
        call = stopped(stack, words, SIGNALS[mode], rule)
    else:
        kind, lasting = mode.rsplit(", ", 1)
        fault = local.sim("POST", "faults", {**rule, **FAULTS[kind], "times": 1 if lasting == "once" else None})
        operation(check=False)
        call = hit_by(local, fault["id"])
    local.sim("DELETE", "faults")
    outcome = Outcome(call)
    if mode == "engine killed" and call:
        stack.pulumi("cancel", "--yes", "--stack", stack.stack, check=False)
    again = operation(check=False)
    if TORN in again.text:
        restore(stack)
        outcome.repairs += 1
        again = operation(check=False)
    if again.code:
        outcome.problems.append(f"the second run failed: {again.text[-1500:]}")
    return outcome


def stopped(stack: Deployment, words: tuple[str, ...], how: signal.Signals, rule: dict[str, Any]) -> str:
    """Run the command and end its engine while the call that the rule names is under way; returns that call."""
    local = stack.local
    fault = local.sim("POST", "faults", {**rule, "delay_s": 1})
    process = stack.start(*words, start_new_session=True)
    hit = False
    while process.poll() is None and not hit:
        hit = hits(local, fault["id"]) > 0
        time.sleep(0.01)
    if hit:
        process.send_signal(how)
        if how == signal.SIGKILL:
            process.wait()
    since = local.sim("GET", "requests", limit=1)["last"]
    local.sim("POST", "clock", {"step": 2})
    process.stdout.close() if how == signal.SIGKILL and process.stdout else process.communicate(timeout=240)
    if how == signal.SIGKILL:
        orphan_writes(stack, since)
        end_session(process)
    return hit_by(local, fault["id"])


def hits(local: Local, fault: int) -> int:
    return next(int(rule["hit"]) for rule in local.sim("GET", "faults")["faults"] if rule["id"] == fault)


def hit_by(local: Local, fault: int) -> str:
    """The first call that a rule has hit, "" if none."""
    if not hits(local, fault):
        return ""
    until = time.monotonic() + LOGGED_S
    while time.monotonic() < until:
        for line in local.sim("GET", "requests", caller="outside", limit=1000)["requests"]:
            if line["fault"] == fault:
                return f"{line['method']} {line['path']}"
        time.sleep(0.05)
    raise AssertionError(f"the call that rule {fault} has hit is not in the request log")


def orphan_writes(stack: Deployment, since: int) -> None:
    """Wait until the killed engine's provider process has nothing more under way; it may not write any more."""
    lines: list[dict[str, Any]] = []
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < QUIET_S:
        found = stack.local.sim("GET", "requests", caller="outside", since=since, limit=1000)["requests"]
        if len(found) != len(lines):
            lines, quiet_since = found, time.monotonic()
        time.sleep(0.05)
    writes = [line for line in lines if line["method"] != "GET" and line["api"] not in ("sso", "tokens")]
    # The held call is written to the log when it is let go; one that was on its way with it is allowed, too.
    assert len(writes) <= 2, f"written after the engine was gone: {writes}"


def end_session(process: subprocess.Popen[str]) -> None:
    """End what is left of a killed engine's own session: language host and provider process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == process.pid:
                    os.kill(int(entry.name), signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue


def restore(stack: Deployment) -> None:
    """A kill at the wrong moment can tear the file backend's state; its own copy is beside it."""
    (file,) = (stack.state / ".pulumi" / "stacks").rglob(f"{stack.stack}.json")
    backup = file.with_name(file.name + ".bak")
    if backup.is_file():
        file.write_bytes(backup.read_bytes())
    else:
        stack.lose_state()


def recorded(stack: Deployment) -> dict[str, str]:
    """Ids of our objects in the stack's state, by resource name."""
    import json

    (file,) = (stack.state / ".pulumi" / "stacks").rglob(f"{stack.stack}.json")
    resources = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"].get("resources") or []
    return {one["urn"].rsplit("::", 1)[-1]: one["id"] for one in resources if "dynamic/" in one["type"]}


OBJECTS = ("scm", "log-ingest", "checkpoint", "execution-lock", "workflow-config", "workflow")


def twins(stack: Deployment, foreign: int) -> list[str]:
    """Names that stand for more than one object, and objects that the state does not know."""
    dump = stack.local.sim("GET", "dump")
    found = {row["id"] for row in (*dump["credentials"], *dump["workflows"])}
    known = {id for name, id in recorded(stack).items() if name in OBJECTS}
    problems = [f"{count} of {name}" for name, count in inside.names(stack.local).items() if count > 1]
    if len(found) - foreign != len(known):
        problems.append(f"{len(found) - foreign} objects, {len(known)} in the state")
    problems += [f"{id} is in the state only" for id in known - found]
    return problems
