"""Plays seeded worlds in one Deno process; the script's text is the real one, rendered as for a deployment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev import ROOT
from local_dynatrace.kernel.options import Options
from local_dynatrace.runtime.modules import packages
from providers.parts import CREDENTIALS
from workflow_src.render import render_script, script_template

MAIN = Path(__file__).with_name("javascript") / "main.js"
MODULES = Options().deno_modules
Message = dict[str, Any]


class DriverError(Exception):
    """The driver itself broke, which says nothing about the script."""


def rendered(template: str | None = None) -> str:
    """The sync script with this world's parameters."""
    # In the order of the ids in javascript/world.js.
    ids = {part.parameter: f"CREDENTIALS_VAULT-{number:016X}" for number, part in enumerate(CREDENTIALS, 1)}
    return render_script(
        template or script_template(),
        {
            "environmentUrl": "https://local.live.dynatrace.com",
            "scmApiUrl": "https://audit.demo.sectigo.com",
            "scmTokenUrl": "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token",
            "maxExecutionTimeMinutes": 55,
            **ids,
        },
    )


@contextmanager
def running(*words: str, script: str = "") -> Iterator[Iterator[Message]]:
    """The driver with these arguments (``{script}`` stands for the script's file), and what it says."""
    with tempfile.TemporaryDirectory(prefix="oracle-") as name:
        folder = Path(name)
        (folder / "sync.js").write_text(script, encoding="utf-8")
        (folder / "imports.json").write_text(json.dumps({"imports": dict(packages(MODULES))}))
        command = [
            str(Path(sys.executable).parent / "deno"), "run", "--quiet", "--no-config", "--no-lock", "--no-remote",
            "--cached-only", "--allow-read", "--import-map", str(folder / "imports.json"), str(MAIN),
            *(word.replace("{script}", str(folder / "sync.js")) for word in words),
        ]  # fmt: skip
        env = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        try:
            yield messages(process)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def messages(process: subprocess.Popen[str]) -> Iterator[Message]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)
    if process.wait() != 0:
        raise DriverError(f"the oracle's driver ended with code {process.returncode}; its reason stands above")


@contextmanager
def playing(first: int, count: int, *, script: str | None = None, verbose: bool = False) -> Iterator[Iterator[Message]]:
    """Play the worlds of ``count`` seeds: ``{"sums": …}`` now and then, ``{"failed": seed, "problems": […]}``."""
    words = ["play", "{script}", str(first), str(count), *(["verbose"] if verbose else [])]
    with running(*words, script=script or rendered()) as said:
        yield said


def played(first: int, count: int, *, script: str | None = None) -> tuple[Message, dict[int, list[str]]]:
    """The sums, and the problems of each seed that failed."""
    sums: Message = {}
    failed: dict[int, list[str]] = {}
    with playing(first, count, script=script) as said:
        for message in said:
            sums = message.get("sums", sums)
            if "failed" in message:
                failed[message["failed"]] = message["problems"]
    return sums, failed


def schedule(seed: int) -> Message:
    """What happens in the world of a seed (javascript/schedule.js)."""
    with running("schedule", str(seed)) as said:
        return next(said)


def legs(records: int, latency_ms: int, hours: float) -> Message:
    """A backlog that needs many legs (javascript/legs.js): ``delivered``, ``repeats`` and the ``runs`` in order."""
    with running("legs", "{script}", str(records), str(latency_ms), str(hours), script=rendered()) as said:
        return next(said)
