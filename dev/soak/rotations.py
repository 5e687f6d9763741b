"""Every secret, rotated again and again while the schedule runs; the old one is revoked when no run can hold it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import requests

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, SERVICE_USER
from tests.engine import inside
from tests.engine.deployment import Deployment

DEPLOY_SCOPES = ["logs.ingest", "credentialVault.read", "credentialVault.write", "settings.read", "settings.write"]
STEP_S, EVERY_S = 10, 0.5
"""The clock goes twenty times as fast as real time: a run each three seconds, and none reaches its 120 s."""


@dataclass
class Tally:
    rotations: int = 0
    runs: int = 0
    failed_runs: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def time_goes_by(local: Local) -> Iterator[None]:
    """Step the clock in the background, so that the schedule starts runs while `up` works."""
    over = threading.Event()

    def step() -> None:
        with requests.Session() as session:  # one session is not for two threads
            session.trust_env = False
            while not over.wait(EVERY_S):
                session.post(f"{local.url}/_sim/clock", json={"step": STEP_S}, timeout=60).raise_for_status()

    thread = threading.Thread(target=step)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def token(name: str, number: int) -> str:
    return f"dt0c01.{f'{name}{number:03}' * 3}.{'S' * 60}{number:04}"


def rotate_api_token(stack: Deployment, key: str, number: int, scopes: list[str]) -> Callable[[], None]:
    """Make and configure the next token; returns what revokes the one before."""
    name = "DEPLO" if key == "dynatraceApiToken" else "INGES"
    new = {"token": token(name, number), "name": key, "owner": SERVICE_USER["email"], "scopes": scopes}
    stack.local.sim("POST", "identities", {"apiTokens": [new]})
    stack.configure_secret(key, new["token"])
    old = token(name, number - 4).rsplit(".", 1)[0]
    return lambda: None if number < 4 else stack.local.sim("PATCH", f"api-tokens/{old}", {"enabled": False})


def rotate_oauth_client(stack: Deployment, number: int) -> Callable[[], None]:
    secret = f"{CLIENT['id']}.{'S' * 60}{number:04}"
    stack.local.sim("POST", "identities", {"oauthClients": [{**CLIENT, "secret": secret}]})
    stack.configure_secret("oauthClientSecret", secret)
    return lambda: None


def rotate_scm_client(stack: Deployment, number: int) -> Callable[[], None]:
    """SCM knows one secret for each client: rotation without a gap is a second client."""
    client = {"id": str(UUID(int=number + 1)), "secret": f"secret {number}"}
    stack.local.sim("POST", "identities", {"scmClients": [client]})
    stack.configure(sectigoClientId=client["id"])
    stack.configure_secret("sectigoClientSecret", client["secret"])
    old = {"id": str(UUID(int=number - 3)), "secret": "revoked"} if number >= 4 else None
    return lambda: None if old is None else stack.local.sim("POST", "identities", {"scmClients": [old]})


KINDS: list[Callable[[Deployment, int], Callable[[], None]]] = [
    rotate_scm_client,
    lambda stack, number: rotate_api_token(stack, "logIngestToken", number, ["logs.ingest"]),
    rotate_oauth_client,
    lambda stack, number: rotate_api_token(stack, "dynatraceApiToken", number, DEPLOY_SCOPES),
]


def await_next_run(local: Local) -> None:
    """Until the schedule has started a run that can only know the new secret, and no run is alive."""
    before = len(inside.runs(local))
    until = time.monotonic() + 60
    while len(inside.runs(local)) == before:
        assert time.monotonic() < until, "the schedule has started no run for a minute"
        time.sleep(EVERY_S)
    local.sim("GET", "idle", timeout_s=30)


def campaign(rotations: int, tell: Callable[[Tally], None]) -> Tally:
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        local = Local(Path(folder), clock="frozen", scheduler=True, scm_stream=True)
        try:
            stack = Deployment(Path(folder) / "stack", local, triggerIntervalMinutes=1)
            stack.up()
            ids, names = stack.outputs, inside.names(local)
            with time_goes_by(local):
                for number in range(rotations):
                    revoke = KINDS[number % len(KINDS)](stack, number)
                    done = stack.up(check=False)
                    tally.rotations += 1
                    if done.code:
                        tally.failed.append(f"rotation {number}: {done.text[-1000:]}")
                    await_next_run(local)
                    revoke()
                    tell(tally)
            if {**stack.outputs, "firstRun": None} != {**ids, "firstRun": None} or inside.names(local) != names:
                tally.failed.append("ids or objects have changed")
            local.sim("GET", "idle", timeout_s=30)
            tally.runs = len(inside.runs(local))
            failed = inside.failed_runs(local)
            tally.failed_runs = len(failed)
            tally.failed += [f"run {run['id']}: {run['state']}" for run in failed]
        finally:
            local.close()
    return tally
