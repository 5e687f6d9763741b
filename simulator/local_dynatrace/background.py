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
    """Return when the environment answers; one that already does is left alone."""
    if known := holder(state):
        if port not in (None, 0, known[1]):
            return fail(f"the local environment of {state} already runs, on port {known[1]}; stop it first")
        return say(f"local environment already runs at http://127.0.0.1:{known[1]} (pid {known[0]})")
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
        return say(f"local environment ready at http://127.0.0.1:{known[1]} (pid {known[0]}, log {log})")
    process.kill()
    process.wait()
    said = log.read_bytes()[begun:].decode(errors="replace").strip().splitlines()
    return fail(said[-1].removeprefix("error: ") if said else f"it did not answer in {START_LIMIT_S:.0f} s; see {log}")


def stop(state: Path) -> int:
    known = holder(state)
    if known is None:
        return say("no local environment is running")
    pid, port = known
    os.kill(pid, signal.SIGTERM)
    if not wait(STOP_LIMIT_S, lambda: not held(state)):
        return fail(f"the local environment (pid {pid}) does not end; see {state.with_suffix('.log')}")
    return say(f"local environment at http://127.0.0.1:{port} stopped; its state is kept in {state}")


def status(state: Path) -> int:
    """Exit code 3 (as system services have it) if none runs."""
    known = holder(state)
    if known is None:
        say("no local environment is running")
        return 3
    pid, port = known
    body = health(port)
    if body is None:
        return fail(f"a local environment (pid {pid}) runs, but does not answer on port {port}")
    clock = body["clock"]
    return say(
        f"local environment runs at http://127.0.0.1:{port} (pid {pid}), "
        f"clock {clock['mode']} at {clock['now']}, {len(body['faults'])} fault rules, "
        f"{len(body['runtime']['running'])} scripts running"
    )


def health(port: int) -> dict[str, Any] | None:
    """The health answer on this port; None if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
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
    """Poll a condition of another process, of which no event could tell."""
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
