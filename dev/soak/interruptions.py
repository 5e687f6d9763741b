"""Every operation, interrupted at every one of its HTTP calls, in every way."""

from __future__ import annotations

import difflib
import json
import re
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, SERVICE_USER
from tests.engine import inside, vendor
from tests.engine.deployment import Deployment, Done

from .interruption import MODES, interrupted, recorded, twins
from .interruption_values import LiveValues

BEGAN = "2026-01-29T10:00:00Z"
STOOD = "2026-01-29T09:44:11.611092Z|9d3cd09c"
EDITED = '{"maxRetries": 4, "initHistoryDuration": "3h"}'
SCOPES = ["logs.ingest", "credentialVault.read", "credentialVault.write", "settings.read", "settings.write"]
LOCK = Lock()
FOREIGN = 2
"""Objects of other teams in the seed's environment: a vault entry and a workflow."""
Operation = Callable[..., Done]


@dataclass
class Life:
    """An operation in the life of a stack: how to get before it, and what must be true after it."""

    name: str
    prepare: Callable[[Deployment, int], None]
    destroys: bool = False
    runs: bool = False
    """It starts a run of the workflow."""

    def operation(self, stack: Deployment) -> tuple[Operation, tuple[str, ...]]:
        verb = "destroy" if self.destroys else "up"
        return getattr(stack, verb), (verb, "--yes", "--skip-preview", "--stack", stack.stack)


def live(stack: Deployment) -> None:
    """Deploy, unless it is deployed, and give checkpoint and config the values of a connector in use."""
    stack.up()
    ids = recorded(stack)
    inside.overwrite(stack.local, ids["checkpoint"], STOOD)
    inside.overwrite(stack.local, ids["workflow-config"], EDITED)


def nothing(stack: Deployment, k: int = 0) -> None:
    """The seed's environment, and a stack that was never deployed."""
    stack.local.sim("POST", "clock", {"jump": BEGAN})
    stack.local.sim("POST", "reset")
    stack.restore_config()
    stack.lose_state()


def in_use(stack: Deployment) -> None:
    """A living stack, the same from one interruption to the next."""
    if not recorded(stack):
        nothing(stack)
        live(stack)
    inside.overwrite(stack.local, recorded(stack)["checkpoint"], STOOD)


def changed(stack: Deployment, k: int) -> None:
    """A living stack whose config has just changed: schedule, parameters of the script, an allowed host."""
    in_use(stack)
    odd = bool(k % 2)
    stack.configure(
        triggerIntervalMinutes=7 if odd else 9,
        maxExecutionTimeMinutes=100 + k,  # a revision that never was, else its old run would be found
        scmApiUrl=f"https://audit.{'enterprise' if odd else 'demo'}.sectigo.com",
    )


def rotated(stack: Deployment, k: int) -> None:
    """A living stack whose secrets have just been rotated, all four, the old ones revoked."""
    in_use(stack)
    old, new = ("ABCD", "EFGH") if k % 2 else ("EFGH", "ABCD")
    identities, secrets = identities_of(new)
    stack.local.sim("POST", "identities", identities)
    for key, secret in secrets.items():
        stack.configure_secret(key, secret)
    stack.configure(oauthClientId=f"dt0s02.{new * 2}", sectigoClientId=scm_client(new))
    revoked, _ = identities_of(old, "R")
    stack.local.sim("POST", "identities", revoked)
    stack.local.sim("PATCH", f"api-tokens/dt0c01.{old * 6}", {"enabled": False})


def scm_client(name: str) -> str:
    """SCM and OAuth know one secret for each client: rotation without a gap is a second client."""
    return str(UUID(bytes=name.encode() * 4))


def identities_of(name: str, secret: str = "S") -> tuple[dict[str, Any], dict[str, str]]:
    """(what the environment must know, secrets by config key)"""
    token, oauth = f"dt0c01.{name * 6}.{secret * 64}", f"dt0s02.{name * 2}.{secret * 64}"
    identities = {
        "apiTokens": [{"token": token, "name": "Rotated", "owner": SERVICE_USER["email"], "scopes": SCOPES}],
        "oauthClients": [{**CLIENT, "id": f"dt0s02.{name * 2}", "secret": oauth}],
        "scmClients": [{"id": scm_client(name), "secret": secret * 20}],
    }
    keys = ("dynatraceApiToken", "logIngestToken")
    return identities, {**dict.fromkeys(keys, token), "oauthClientSecret": oauth, "sectigoClientSecret": secret * 20}


def forgotten(stack: Deployment, k: int) -> None:
    """A living connector whose state was lost."""
    nothing(stack)
    live(stack)
    former = stack.outputs["owner"]
    stack.lose_state()
    stack.configure(formerStack=former)


def vendors(stack: Deployment, k: int) -> None:
    """The vendor's installation, named under adopt."""
    nothing(stack)
    stack.configure(adopt=vendor.install(stack.local))


def deployed(stack: Deployment, k: int) -> None:
    nothing(stack)
    stack.up()


LIVES = [
    Life("first up", nothing, runs=True),
    Life("update", changed, runs=True),
    Life("rotation", rotated),
    Life("state lost", forgotten),
    Life("take-over", vendors, runs=True),
    Life("destroy", deployed, destroys=True),
]


def state(local: Local) -> dict[str, Any]:
    """All there is, but the OAuth clients with which the campaign itself looks inside."""
    dump: dict[str, Any] = local.sim("GET", "dump")
    dump.pop("oauth_clients")
    return dump


def shape(stack: Deployment) -> str:
    """All there is, without what no two deployments share: ids, values that live, the one each update changes."""
    dump = stack.local.sim("GET", "dump")
    for row in dump["credentials"]:
        if row["name"].rsplit(" ", 1)[-1] in ("Checkpoint", "Lock", "Config"):
            row["sealed"] = ""
    kept = {table: dump[table] for table in ("credentials", "workflows", "settings_objects")}
    timeless = {
        table: [
            {
                key: value
                for key, value in row.items()
                if not key.endswith("_us") and key not in ("version", "counted_from")
            }
            for row in rows
        ]
        for table, rows in kept.items()
    }
    for row in timeless["settings_objects"]:
        row["value"].get("allowedOutboundConnections", {}).get("hostList", []).sort()  # it is a set
    text = "\n".join(sorted(json.dumps(row, sort_keys=True) for rows in timeless.values() for row in rows))
    for name, id in recorded(stack).items():
        text = text.replace(id, f"({name})")
    text = re.sub(r"(\[Pulumi [^\s\]#]+#)[0-9a-f]{8}", r"\1(installation)", text)
    longest = stack.configured("maxExecutionTimeMinutes")
    return re.sub(rf"(maxExecutionTimeMinutes\W+){longest}\b", r"\1(as configured)", text)


def difference(expected: str, found: str) -> list[str]:
    lines = difflib.unified_diff(expected.split("\n"), found.split("\n"), n=0, lineterm="")
    return [line[:3000] for line in list(lines)[3:]]


def problems_after(
    stack: Deployment, life: Life, before: Any, stood: LiveValues, expected: str
) -> tuple[list[str], list[str], list[str]]:
    """(what is not as after an undisturbed operation, twins, lost runtime values)"""
    if life.destroys:
        return (["the environment is not as it was"] if state(stack.local) != before else []), [], []
    doubled, lost = twins(stack, FOREIGN), stood.lost(stack.local)
    different = [f"not as after an undisturbed operation: {line}" for line in difference(expected, shape(stack))]
    if life.runs and not stood.runs(stack.local):
        different.append("no run was started")
    if life.name == "first up":
        stack.destroy()
        if state(stack.local) != before:
            different.append("its destroy does not leave the environment as it was")
    return different, doubled, lost


@dataclass
class Tally:
    """What the campaign has found so far."""

    chains: int = 0
    """Operations that have been interrupted in one way at all of their calls."""
    interruptions: int = 0
    converged: int = 0
    twins: int = 0
    lost_runtime_values: int = 0
    repaired_state_files: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def lives_through(
    life: Life, mode: str, tally: Tally, tell: Callable[[], None], *, calls: Iterable[int] = range(1, 200)
) -> None:
    """Interrupt one operation in one way at call 1, 2, ... until it has no such call; adds to ``tally``."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        local = Local(Path(folder), clock="frozen", scm_history_hours=0.5)
        try:
            stack = Deployment(Path(folder) / "stack", local)
            operation, words = life.operation(stack)
            nothing(stack)
            before = state(local)
            expected = {}
            for k in (-1, 0):
                life.prepare(stack, k)
                operation()
                expected[k % 2] = shape(stack)
            hit: set[str] = set()
            for k in calls:
                life.prepare(stack, k)
                stood = LiveValues.of(local)
                outcome = interrupted(stack, operation, words, mode, k)
                if not outcome.call:
                    tally.calls[life.name] = max(tally.calls.get(life.name, 0), k - 1)
                    if life.runs and not any(call.endswith("/run") for call in hit):
                        raise AssertionError("the start of the run was not among the calls")
                    return
                hit.add(outcome.call)
                different, doubled, lost = problems_after(stack, life, before, stood, expected[k % 2])
                problems = [*outcome.problems, *different, *doubled, *lost]
                with LOCK:
                    tally.interruptions += 1
                    tally.converged += not problems
                    tally.twins += len(doubled)
                    tally.lost_runtime_values += len(lost)
                    tally.repaired_state_files += outcome.repairs
                    tally.failed += [f"{life.name}, {mode}, call {k}: {problem}" for problem in problems]
                tell()
                if problems:
                    nothing(stack)
        except Exception as error:
            with LOCK:
                tally.failed.append(f"{life.name}, {mode}: {error!r}")
        finally:
            local.close()
            with LOCK:
                tally.chains += 1
            tell()


def campaign(tell: Callable[[Tally], None], workers: int = 2, lives: list[Life] = LIVES) -> Tally:
    tally = Tally()
    with ThreadPoolExecutor(workers) as pool:
        for life in lives:
            for mode in MODES:
                pool.submit(lives_through, life, mode, tally, lambda: tell(tally))
    return tally
