"""``start``, ``stop``, ``status``: the local environment as a background process."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .claim import held, holder

START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0


def start(state: Path, port: int | None, arguments: list[str]) -> int:
    """Return when the environment answers; do nothing if it already does."""
    if known := holder(state):
        if port not in (None, 0, known.port):
            return fail(f"the local environment of {state} already runs, on port {known.port}; stop it first")
        return say(f"local environment already runs at {known.url} (pid {known.pid})")
    state.parent.mkdir(parents=True, exist_ok=True)
    log = state.with_suffix(".log")
    with log.open("ab") as output:
        begun = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "local_dynatrace", "serve", *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    wait(START_LIMIT_S, lambda: holder(state) or process.poll() is not None)
    if process.poll() is None and (known := holder(state)):
        return say(f"local environment ready at {known.url} (pid {known.pid}, log {log})")
    process.kill()
    process.wait()
    said = log.read_bytes()[begun:].decode(errors="replace").strip().splitlines()
    return fail(said[-1].removeprefix("error: ") if said else f"it did not answer in {START_LIMIT_S:.0f} s; see {log}")


def stop(state: Path) -> int:
    known = holder(state)
    if known is None:
        return say("no local environment is running")
    os.kill(known.pid, signal.SIGTERM)
    if not wait(STOP_LIMIT_S, lambda: not held(state)):
        return fail(f"the local environment (pid {known.pid}) does not end; see {state.with_suffix('.log')}")
    return say(f"local environment at {known.url} stopped; its state is kept in {state}")


def status(state: Path) -> int:
    """Exit code 3, as for system services, if none runs."""
    known = holder(state)
    if known is None:
        say("no local environment is running")
        return 3
    body = health(known.url)
    if body is None:
        return fail(f"a local environment (pid {known.pid}) runs, but does not answer at {known.url}")
    clock = body["clock"]
    return say(
        f"local environment runs at {known.url} (pid {known.pid}), "
        f"clock {clock['mode']} at {clock['now']}, {len(body['faults'])} fault rules, "
        f"{len(body['runtime']['running'])} scripts running"
    )


def health(url: str) -> dict[str, Any] | None:
    """The health answer at this address; None if there is none."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/_sim/health")
        answer = connection.getresponse()
        body: dict[str, Any] = json.loads(answer.read())
        return body if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait(limit_s: float, condition: Callable[[], Any]) -> bool:
    """Poll a condition of another process, which cannot notify this one. Returns whether it came true."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def say(text: str) -> int:
    print(text)
    return 0


def fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1
