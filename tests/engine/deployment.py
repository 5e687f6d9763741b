"""A stack of its own on the real engine: scratch project, backend and home, deployed to a local environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi.automation import EngineEvent, OpType

from local_dynatrace.testing import Local
from tests import ROOT

PROJECT = "sectigo-dynatrace"
PROGRAM = ("providers", "workflow_src")
QUICK = Path(__file__).parent / "quick"
DEV_ADDRESS = "http://127.0.0.1:8787"
LEFT_ALONE = (OpType.SAME, OpType.READ, OpType.REFRESH)
UNWATCHED = {"dashboard": None, "alerts": None, "alertEmails": None}
"""Config of the dev stack that most tests do without: the objects that it asks for have a test of their own."""
OWN_TYPES = "pulumi:"
"""Types of Pulumi's own resources: the stack itself and its providers."""
UNWANTED = ("PULUMI_", "PYTHONDONTWRITEBYTECODE")
"""Beginnings of variables that a stack's commands do not take from the environment of the tests."""
ENGINE_COMMANDS = ("up", "preview", "refresh", "destroy")


def search_path() -> str:
    """The virtual environment first, then the engine that setup chose, then the machine's own."""
    chosen = ROOT / ".local" / "setup" / "engine-path"
    engine = chosen.read_text().strip() if chosen.is_file() else ""
    folders = [str(Path(sys.executable).parent), engine, os.environ.get("PATH", "")]
    return os.pathsep.join(folder for folder in folders if folder)


@dataclass(frozen=True)
class Done:
    """An ended command.

    ``text``: all it printed, without colours. ``events``: those of its engine; empty if it used none.
    """

    code: int
    text: str
    events: tuple[EngineEvent, ...] = ()

    @property
    def changes(self) -> dict[str, set[str]]:
        """Names of the resources that were not left as they are, by operation; of a preview, what it announces.

        Fails if the engine did not get to its end, so that an empty answer means "nothing changed".
        """
        assert any(event.summary_event for event in self.events), f"no summary:\n{self.text}"
        found: dict[str, set[str]] = {}
        for event in self.events:
            step = event.res_outputs_event and event.res_outputs_event.metadata
            if step and step.op not in LEFT_ALONE and not step.type.startswith(OWN_TYPES):
                found.setdefault(step.op.value, set()).add(step.urn.rsplit("::", 1)[-1])
        return found

    @property
    def warnings(self) -> list[str]:
        """Messages of the severities that people are to notice."""
        said = [event.diagnostic_event for event in self.events if event.diagnostic_event]
        return [one.message for one in said if one.severity in ("warning", "error")]


class Deployment:
    """One stack of this repository's program. Config values are those of the dev stack, changed by ``config``.

    Runs the commands that users type and reads the event log of the Automation API beside what they print. The
    Automation API's own ``up`` asks for outputs and history each time (three more commands), and gives no process that
    a test could kill.
    """

    def __init__(self, folder: Path, local: Local, stack: str = "test", **config: Any) -> None:
        self.folder, self.local, self.stack = folder, local, stack
        self.project, self.state = folder / "project", folder / "state"
        for made in (self.project, self.state):
            made.mkdir(parents=True, exist_ok=True)
        # A copy, so that the program stays the same while somebody edits it.
        for name in PROGRAM:
            shutil.copytree(ROOT / name, self.project / name)
        (self.project / ".venv").symlink_to(ROOT / ".venv")
        for name in ("__main__.py", "Pulumi.yaml", "Pulumi.README.md"):
            shutil.copy(ROOT / name, self.project)
        dev = (ROOT / "Pulumi.dev.yaml").read_text().replace(DEV_ADDRESS, local.url)
        self.file = self.project / f"Pulumi.{stack}.yaml"
        self.file.write_text(dev)
        self.configure(**{**UNWATCHED, "initHistoryDuration": "1h", "showRunLog": "true", **config})
        self._first_config = self.file.read_text()
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(UNWANTED)},
            "PATH": search_path(),
            "PYTHONPATH": str(QUICK),
            "GOGC": "off",  # the engine ends before it would need to collect garbage
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": "local",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # allows --event-log
            "CI": "true",
        }
        self._log = folder / "events.jsonl"
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
        """A plain config value; None if it is not set."""
        return yaml.safe_load(self.file.read_text())["config"].get(f"{PROJECT}:{key}")

    def restore_config(self) -> None:
        """The config it was created with, including secrets."""
        self.file.write_text(self._first_config)

    # commands

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        command = ["pulumi", *arguments, "--non-interactive", "--cwd", str(self.project), "--color", "never"]
        return subprocess.Popen(
            command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more
        )

    def pulumi(self, *arguments: str, check: bool = True, input: str | None = None) -> Done:
        logged = ("--event-log", str(self._log)) if arguments[0] in ENGINE_COMMANDS else ()
        process = self.start(*arguments, *logged, **({} if input is None else {"stdin": subprocess.PIPE}))
        try:
            text, _ = process.communicate(input, timeout=240)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        done = Done(process.returncode, text, self._events() if logged else ())
        assert not check or done.code == 0, f"pulumi {' '.join(arguments)} ended with {done.code}:\n{done.text}"
        return done

    def _events(self) -> tuple[EngineEvent, ...]:
        """Those of the last command; it wrote none if it failed before its engine began."""
        if not self._log.is_file():
            return ()
        lines = self._log.read_text(encoding="utf-8").splitlines()
        self._log.unlink()
        return tuple(EngineEvent.from_json(json.loads(line)) for line in lines)

    def up(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", self.stack, *more, check=check)

    def preview(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("preview", "--stack", self.stack, *more, check=check)

    def destroy(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("destroy", "--yes", "--skip-preview", "--stack", self.stack, *more, check=check)

    def refresh(self, *more: str, check: bool = True) -> Done:
        return self.pulumi("refresh", "--yes", "--skip-preview", "--stack", self.stack, *more, check=check)

    def lose_state(self) -> None:
        """As if the backend had been lost: a new stack with the same name and config."""
        shutil.rmtree(self.state)
        self.state.mkdir()
        self.pulumi("stack", "select", self.stack, "--create")

    # what exists

    @property
    def outputs(self) -> dict[str, Any]:
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--stack", self.stack).text)
        return outputs

    @property
    def lasting(self) -> dict[str, Any]:
        """The outputs that a rename or a new state leaves as they are."""
        return {key: value for key, value in self.outputs.items() if key not in ("owner", "readme")}

    def calls(self, **filters: Any) -> list[str]:
        """Calls of clients (not of scripts) since the request log was emptied: ``GET /path``."""
        lines = self.local.sim("GET", "requests", caller="outside", limit=1000, **filters)["requests"]
        return [f"{line['method']} {line['path']}" for line in lines]

    def forget_calls(self) -> None:
        self.local.sim("DELETE", "requests")
