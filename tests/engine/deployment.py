"""A stack of its own on the real engine: scratch project, backend and home, deployed to a local environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_dynatrace.testing import Local
from tests import ROOT

PROJECT = "sectigo-dynatrace"
PROGRAM = ("providers", "workflow_src")
QUICK = Path(__file__).parent / "quick"
DEV_ADDRESS = "http://127.0.0.1:8787"


def search_path() -> str:
    """The virtual environment first, then the engine that the set-up chose, then the machine's own."""
    chosen = ROOT / ".local" / "setup" / "engine-path"
    engine = chosen.read_text().strip() if chosen.is_file() else ""
    folders = [str(Path(sys.executable).parent), engine, os.environ.get("PATH", "")]
    return os.pathsep.join(folder for folder in folders if folder)


@dataclass(frozen=True)
class Done:
    """An ended command; ``text`` is all it printed, without colours and carriage returns."""

    code: int
    text: str


class Deployment:
    """One stack of this repository's program. Config values are those of the dev stack, changed by ``config``."""

    def __init__(self, folder: Path, local: Local, stack: str = "test", **config: Any) -> None:
        self.folder, self.local, self.stack = folder, local, stack
        self.project, self.state = folder / "project", folder / "state"
        for made in (self.project, self.state):
            made.mkdir(parents=True, exist_ok=True)
        # A copy, so that the program stays the same while somebody edits it.
        for name in PROGRAM:
            shutil.copytree(ROOT / name, self.project / name)
        (self.project / ".venv").symlink_to(ROOT / ".venv")
        for name in ("__main__.py", "Pulumi.yaml"):
            shutil.copy(ROOT / name, self.project)
        dev = (ROOT / "Pulumi.dev.yaml").read_text().replace(DEV_ADDRESS, local.url)
        self.file = self.project / f"Pulumi.{stack}.yaml"
        self.file.write_text(dev)
        self.configure(initHistoryDuration="1h", showRunLog="true", **config)
        self._first_config = self.file.read_text()
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            "PATH": search_path(),
            "PYTHONPATH": str(QUICK),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": "local",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "CI": "true",
        }
        self.pulumi("stack", "select", stack, "--create")

    # config

    def configure(self, **values: Any) -> None:
        """Set plain config values; None removes a key."""
        content = yaml.safe_load(self.file.read_text())
        for key, value in values.items():
            name = f"{PROJECT}:{key}"
            content["config"].pop(name, None)
            if value is not None:
                content["config"][name] = value if isinstance(value, dict) else str(value)
        self.file.write_text(yaml.safe_dump(content))

    def configure_secret(self, key: str, value: str) -> None:
        self.pulumi("config", "set", "--secret", key, input=value)

    def configured(self, key: str) -> Any:
        """A plain config value, None where the default holds."""
        return yaml.safe_load(self.file.read_text())["config"].get(f"{PROJECT}:{key}")

    def restore_config(self) -> None:
        """What it was made with, secrets included."""
        self.file.write_text(self._first_config)

    # commands

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        command = ["pulumi", *arguments, "--non-interactive", "--cwd", str(self.project), "--color", "never"]
        return subprocess.Popen(
            command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more
        )

    def pulumi(self, *arguments: str, check: bool = True, input: str | None = None) -> Done:
        process = self.start(*arguments, **({} if input is None else {"stdin": subprocess.PIPE}))
        try:
            text, _ = process.communicate(input, timeout=240)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        done = Done(process.returncode, text)
        assert not check or done.code == 0, f"pulumi {' '.join(arguments)} ended with {done.code}:\n{done.text}"
        return done

    def up(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", self.stack, *more, check=check)

    def preview(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("preview", "--stack", self.stack, *more, check=check)

    def destroy(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("destroy", "--yes", "--skip-preview", "--stack", self.stack, *more, check=check)

    def refresh(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("refresh", "--yes", "--skip-preview", "--stack", self.stack, *more, check=check)

    def lose_state(self) -> None:
        """As if the backend had been lost: a new stack of the same name, the same config."""
        shutil.rmtree(self.state)
        self.state.mkdir()
        self.pulumi("stack", "select", self.stack, "--create")

    # what there is

    @property
    def outputs(self) -> dict[str, Any]:
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--stack", self.stack).text)
        return outputs

    def calls(self, **filters: Any) -> list[str]:
        """What clients (not scripts) have asked the environment for since the log was emptied: ``GET /path``."""
        lines = self.local.sim("GET", "requests", caller="outside", limit=1000, **filters)["requests"]
        return [f"{line['method']} {line['path']}" for line in lines]

    def forget_calls(self) -> None:
        self.local.sim("DELETE", "requests")


def changes(done: Done) -> dict[str, int]:
    """The resource counts a command printed: ``{"create": 9}``, ``{"unchanged": 9}``."""
    return {verb: int(count) for count, verb in re.findall(r"^\s+(?:[-+~]+ )?(\d+) (?:to )?([a-z]+)", done.text, re.M)}
