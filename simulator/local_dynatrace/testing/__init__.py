"""Helpers for tests against a local environment in a process of its own.

``Local`` starts and stops one and calls its control API. ``callers`` makes tokens and users, ``flows`` creates and runs
workflows. The pytest plug-in (``fixtures``) brings the fixture ``local``: one process per test module, reset before
each test. ::

    from local_dynatrace.testing import flows

    def test_a_script_returns_its_result(local):
        assert flows.play(local, "export default () => 42;").result == 42
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from local_dynatrace.plugins import found


class Local:
    """A running ``local-dynatrace serve`` on a free port, with its state and its log in ``folder``.

    Clock ``auto`` by default: waits cost no wall-clock time. ``arguments`` are further words of its command line,
    ``options`` its options (README.md). Background activity and settling times are off unless an option asks for them.
    Raises RuntimeError with the end of its log if it does not start. Attributes: ``url``, ``port``, ``process``,
    ``session``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: str = "auto",
        port: int = 0,
        no_plugins: bool = False,
        arguments: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self.folder, self.clock, self.port = folder, clock, port
        self.arguments = [*arguments, *(["--no-plugins"] if no_plugins else [])]
        # No background noise and no settling times unless a test asks for them.
        self.options = {
            **({} if no_plugins else {key: value for plugin in found() for key, value in plugin.quiet.items()}),
            "scheduler": False,
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
        command += self.arguments
        for key, value in self.options.items():
            command += ["--set", f"{key}={json.dumps(value)}"]
        self.log = (self.folder / "local-dynatrace.log").open("ab")
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=self.log,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "http://" not in line:
            self.process.wait(10)
            log = (self.folder / "local-dynatrace.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"the local environment did not start: {log[-2000:]}")
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
