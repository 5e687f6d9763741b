"""Start the local environment in a process of its own and talk to its control API: what every test stands on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests


class Local:
    """A running ``python -m local_dynatrace`` on a free port with a state file of its own.

    Clock ``auto`` by default: waits cost no wall-clock time. ``options``: see ``local_dynatrace.kernel.options``.
    """

    def __init__(self, folder: Path, *, clock: str = "auto", port: int = 0, **options: Any) -> None:
        self.folder, self.clock, self.port = folder, clock, port
        # No background noise and no settling times unless a test asks for them.
        self.options = {
            "scheduler": False,
            "scm_stream": False,
            "credential_settles_s": 0.0,
            "allowlist_settles_s": 0.0,
            "logs_visible_after_s": 0.0,
            **options,
        }
        self.session = requests.Session()
        self.session.trust_env = False
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "local_dynatrace", "serve", "--port", str(self.port), "--clock", self.clock]
        command += ["--state", str(self.folder / "local-dynatrace.sqlite")]
        for key, value in self.options.items():
            command += ["--set", f"{key}={json.dumps(value)}"]
        self.log = (self.folder / "local-dynatrace.log").open("ab")
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "http://" not in line:
            self.process.wait(10)
            raise RuntimeError(f"simulator did not start: {(self.folder / 'local-dynatrace.log').read_text()[-2000:]}")
        self.url = line.strip().rsplit(" ", 1)[-1]
        self.port = int(self.url.rsplit(":", 1)[-1])

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self.session.close()

    def sim(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call the control API: ``sim("POST", "faults", {...})``; returns the decoded answer, fails on an error."""
        answer = self.session.request(method, f"{self.url}/_sim/{path}", json=body, params=query, timeout=60)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """A raw request to the environment, as any client would make it."""
        return self.session.request(method, self.url + path, timeout=60, **more)
