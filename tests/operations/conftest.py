from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.testing import Local
from providers.api.destination import VARIABLE
from tests import ROOT
from tests.engine.deployment import Deployment, Done


class Operated(Deployment):
    """A stack, and the commands of ``operations`` as a shell calls them."""

    def operate(self, command: str, *arguments: str, check: bool = True, env: dict[str, str] | None = None) -> Done:
        words = [sys.executable, "-m", "operations", command, "--stack", self.stack, "--cwd", str(self.project)]
        # The stack's config names SCM's real host; it is led to the local environment.
        led = {VARIABLE: self.local.url.removeprefix("http://")}
        done = subprocess.run(
            [*words, *arguments],
            check=False,
            cwd=ROOT,
            env={**self.env, **led, **(env or {})},
            text=True,
            capture_output=True,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return Done(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A local environment whose clock is this machine's: an operator's commands look at the same time."""
    local = Local(tmp_path_factory.mktemp("local"), clock="running")
    yield local
    local.close()


@pytest.fixture(scope="module")
def deployed(running: Local, tmp_path_factory: pytest.TempPathFactory) -> Operated:
    """A deployed stack that the tests of a module only look at, or leave as it was.

    Nothing runs on schedule, so its interval is long: however slow the machine, its first run is no silence yet.
    """
    stack = Operated(tmp_path_factory.mktemp("stack"), running)
    stack.configure(triggerIntervalMinutes=30)
    stack.up()
    return stack


@pytest.fixture
def prepare(local: Local, tmp_path: Path) -> Callable[..., Operated]:
    """Stacks in a local environment of its own clock, each in a scratch folder."""

    def make(name: str = "test", **config: Any) -> Operated:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        stack = Operated(folder, local, name)
        stack.configure(**config)
        return stack

    return make


@pytest.fixture
def git_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A developer")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "developer@nordhav.example")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
