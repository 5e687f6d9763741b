"""Who takes part in the sync benchmark, and how each is started. All end in the same sink, fed by the same pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dev import ROOT
from local_dynatrace.kernel.options import script_modules
from local_dynatrace.runtime.modules import packages
from workflow_src.render import render_script, script_template

HERE = ROOT / "dev" / "benchmarks"
BUILD = ROOT / "build" / "peers"
DENO = Path(sys.executable).parent / "deno"
PAGE_SIZE = 100
HEAP_MB = 256
"""What the platform gives a script (facts: dynatrace-runtime 1)."""
LONGEST_S = 900.0
ENVIRONMENT = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Figures:
    records: int
    latency_ms: int
    seconds: float
    """From the request of the first page to the acceptance of the last record (floor: to the end of the last page)."""
    pages: int
    requests: int
    """POSTs to log ingest."""
    saves: int
    """Writes of vault entries."""
    peak_rss_mb: float
    heap_mb: float
    """V8's heap at its largest, for the script alone."""

    @property
    def rate(self) -> float:
        return self.records / self.seconds


class Wire:
    """The fake SCM and sink (wire/server.js) in a process of its own."""

    def __init__(self, records: int, latency_ms: int) -> None:
        command = [
            str(DENO), "run", "--quiet", "--no-config", "--allow-net=127.0.0.1", str(HERE / "wire" / "server.js"),
            str(records), str(latency_ms), str(PAGE_SIZE),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=ENVIRONMENT)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def figures(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/figures", timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


Command = Callable[[str, Path], tuple[list[str], dict[str, str]]]
"""From the wire's URL and a scratch folder to a command and its extra environment."""


def window() -> tuple[str, str]:
    now = datetime.now(UTC)
    return tuple(f"{now - timedelta(minutes=ago):%Y-%m-%dT%H:%M:%SZ}" for ago in (119, 1))  # type: ignore[return-value]


def deno(heap_mb: int, *words: str) -> list[str]:
    v8 = f"--v8-flags=--max-old-space-size={heap_mb}"
    return [str(DENO), "run", "--quiet", "--no-config", "--no-lock", "--allow-net=127.0.0.1", v8, *words]


def ours(url: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The script as it would be deployed, in the runtime the local environment uses, with the unmodified SDK."""
    parameters = {
        "environmentUrl": url,
        "scmApiUrl": url,
        "scmTokenUrl": f"{url}/openid-connect/token",
        "maxExecutionTimeMinutes": 55,
        "attributes": {},
        "scmCredentialId": "scm",
        "logIngestCredentialId": "ingest",
        "checkpointCredentialId": "checkpoint",
        "executionLockCredentialId": "lock",
        "workflowConfigCredentialId": "config",
    }
    script, imports = folder / "sync.js", folder / "imports.json"
    script.write_text(render_script(script_template(), parameters), encoding="utf-8")
    modules = dict(packages(script_modules()))
    imports.write_text(json.dumps({"imports": modules}), encoding="utf-8")
    words = ("--no-remote", "--cached-only", "--allow-read", "--import-map", str(imports), "--location", url)
    return deno(HEAP_MB, *words, str(HERE / "wire" / "run_script.js"), script.as_uri()), {}


def floor(url: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    return deno(HEAP_MB, str(HERE / "wire" / "floor.js"), url), {}


def benthos(url: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    begin, end = window()
    config = str(HERE / "peers" / "benthos" / "config.yaml")
    return [str(BUILD / "benthos"), "run", config], {"BASE": url, "FROM": begin, "TO": end}


def dlt(url: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    begin, end = window()
    command = [str(BUILD / "dlt" / "bin" / "python"), str(HERE / "peers" / "dlt" / "pipeline.py"), url, begin, end]
    # Its pages on performance: parallel load jobs; no progress output, no telemetry.
    return command, {"LOAD__WORKERS": "4", "RUNTIME__DLTHUB_TELEMETRY": "false", "HOME": str(folder)}


CONTESTANTS: dict[str, Command] = {"floor": floor, "ours": ours, "benthos": benthos, "dlt": dlt}


def measure(name: str, records: int, latency_ms: int) -> Figures:
    """Let one contestant carry all records, and read what the sink has seen. Raises RuntimeError if it does not."""
    wire = Wire(records, latency_ms)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-sync-", ignore_cleanup_errors=True) as scratch:
            command, more = CONTESTANTS[name](wire.url, Path(scratch))
            output = Path(scratch) / "output"
            with output.open("w", encoding="utf-8") as out:
                process = subprocess.Popen(
                    command, cwd=scratch, env={**ENVIRONMENT, **more}, stdout=out, stderr=subprocess.STDOUT
                )
                peak_mb = wait(process, wire, name)
            said = output.read_text(encoding="utf-8")
            seen = wire.figures()
    finally:
        wire.close()
    end = seen["lastPageMs" if name == "floor" else "lastMs"]
    if not end or (name != "floor" and seen["sent"] < records):
        raise RuntimeError(f"{name} carried {seen['sent']} of {records} records; it said: {said[-1000:]}")
    heap = json.loads(said.splitlines()[-1])["heapMb"] if name == "ours" else 0.0
    return Figures(
        records, latency_ms, (end - seen["firstMs"]) / 1000, seen["pages"], seen["requests"], seen["saves"],
        round(peak_mb, 1), round(heap, 1),
    )  # fmt: skip


def wait(process: subprocess.Popen[bytes], wire: Wire, name: str) -> float:
    """Until it ends by itself or, where it would poll for ever, until its work is done; its peak memory in MB."""
    until = time.monotonic() + LONGEST_S
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = 0
            return usage.ru_maxrss / 1024
        if time.monotonic() > until or (name == "benthos" and wire.figures()["done"]):
            process.kill()
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = -9
            return usage.ru_maxrss / 1024
        with suppress(InterruptedError):
            time.sleep(0.2)
