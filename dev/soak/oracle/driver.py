"""Plays seeded worlds in one Deno process; the script's text is the real one, rendered as for a deployment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev import ROOT
from local_dynatrace.kernel.options import script_modules
from local_dynatrace.runtime.modules import packages
from providers.parts import CREDENTIALS
from workflow_src.render import render_script, script_template

MAIN = Path(__file__).with_name("javascript") / "main.js"
MODULES = script_modules()
Message = dict[str, Any]


class DriverError(Exception):
    """The driver itself broke, which says nothing about the script."""


def rendered(template: str | None = None, *, minutes: int = 55) -> str:
    """The sync script with this world's parameters."""
    # In the order of the ids in javascript/world.js.
    ids = {part.parameter: f"CREDENTIALS_VAULT-{number:016X}" for number, part in enumerate(CREDENTIALS, 1)}
    return render_script(
        template or script_template(),
        {
            "environmentUrl": "https://local.live.dynatrace.com",
            "scmApiUrl": "https://audit.demo.sectigo.com",
            "scmTokenUrl": "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token",
            "maxExecutionTimeMinutes": minutes,
            "attributes": {},
            **ids,
        },
    )


@contextmanager
def running(*words: str, script: str = "", limit_s: float = 86_400) -> Iterator[Iterator[Message]]:
    """Start the driver with these arguments (``{script}`` is replaced by the script's file) and yield its messages.

    After ``limit_s`` it is killed, which raises DriverError.
    """
    with tempfile.TemporaryDirectory(prefix="oracle-") as name:
        folder = Path(name)
        (folder / "sync.js").write_text(script, encoding="utf-8")
        (folder / "imports.json").write_text(json.dumps({"imports": dict(packages(MODULES))}), encoding="utf-8")
        command = [
            str(Path(sys.executable).parent / "deno"), "run", "--quiet", "--no-config", "--no-lock", "--no-remote",
            "--cached-only", "--allow-read", "--import-map", str(folder / "imports.json"), str(MAIN),
            *(word.replace("{script}", str(folder / "sync.js")) for word in words),
        ]  # fmt: skip
        env = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
        with (folder / "errors.txt").open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
            )
        limit = threading.Timer(limit_s, process.kill)
        limit.daemon = True
        limit.start()
        try:
            yield messages(process, folder / "errors.txt")
        finally:
            limit.cancel()
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def messages(process: subprocess.Popen[str], errors: Path) -> Iterator[Message]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)
    if process.wait() != 0:
        raise DriverError(
            f"the oracle's driver exited with code {process.returncode}: {errors.read_text(encoding='utf-8')[-2_000:]}"
        )


@contextmanager
def playing(
    first: int,
    count: int,
    *,
    script: str | None = None,
    lies: str = "honest",
    how: tuple[str, ...] = (),
    limit_s: float = 86_400,
) -> Iterator[Iterator[Message]]:
    """Play the worlds of ``count`` seeds: ``{"sums": …}`` now and then, ``{"failed": seed, "lies": …, "problems": …}``.

    ``lies``: ``honest``, ``held`` (in every other seed one of those that the script withstands) or names with commas
    (javascript/lies.js). ``how``: ``verbose``, ``stop`` (at the first failure).
    """
    words = ["play", "{script}", str(first), str(count), lies, *how]
    with running(*words, script=script or rendered(), limit_s=limit_s) as said:
        yield said


def played(
    first: int,
    count: int,
    *,
    script: str | None = None,
    lies: str = "honest",
    stop: bool = False,
    limit_s: float = 86_400,
) -> tuple[Message, dict[int, list[str]]]:
    """The sums, and the problems of each seed that failed."""
    sums: Message = {}
    failed: dict[int, list[str]] = {}
    with playing(first, count, script=script, lies=lies, how=("stop",) if stop else (), limit_s=limit_s) as said:
        for message in said:
            sums = message.get("sums", sums)
            if "failed" in message:
                failed[message["failed"]] = message["problems"]
    return sums, failed


def all_lies() -> dict[str, dict[str, Any]]:
    """By name: the ``cases`` it shows, and whether the script withstands it (``held``)."""
    with running("lies") as said:
        return dict(next(said))


def schedule(seed: int) -> Message:
    """What happens in the world of a seed (javascript/schedule.js)."""
    with running("schedule", str(seed)) as said:
        return next(said)


def legs(records: int, latency_ms: int, hours: float, *, minutes: int = 55, kill_every_s: float = 0) -> Message:
    """A backlog that needs many legs (javascript/legs.js), also with kills: ``delivered``, ``repeats``, ``runs``.

    ``minutes`` is what one chain of legs may take.

    ``mostRepeats`` is what one run has repeated at most, ``mostRepeatsAllowed`` the bound after a kill.
    """
    words = ("legs", "{script}", str(records), str(latency_ms), str(hours), str(round(kill_every_s * 1000)))
    with running(*words, script=rendered(minutes=minutes)) as said:
        return next(said)
