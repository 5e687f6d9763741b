"""A deployed stack as the command line sees it: its outputs, its config, and the environment it lives in."""

from __future__ import annotations

import json
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

from providers.api.environment import Access, Environment
from providers.configuration import KEYS, access_of, read

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "sectigo-dynatrace"


class StackError(Exception):
    """The stack cannot be read; the text says why."""


class Stack:
    """Reads through the ``pulumi`` command; secrets stay in this process's memory."""

    def __init__(self, name: str) -> None:
        self.name = name

    def _pulumi(self, *arguments: str) -> Any:
        command = ["pulumi", *arguments, "--stack", self.name, "--json", "--cwd", str(ROOT)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError((done.stderr or done.stdout).strip())
        return json.loads(done.stdout)

    @cached_property
    def outputs(self) -> dict[str, Any]:
        outputs: dict[str, Any] = self._pulumi("stack", "output")
        if "workflowId" not in outputs:
            raise StackError(f"stack {self.name} is not deployed; run `pulumi up --stack {self.name}`")
        return outputs

    @cached_property
    def config(self) -> dict[str, Any]:
        """The checked config values, by key."""
        raw = self._pulumi("config", "--show-secrets")
        given = {key.removeprefix(f"{PROJECT}:"): entry["value"] for key, entry in raw.items()}
        return read({key: value for key, value in given.items() if key in KEYS})

    @cached_property
    def environment(self) -> Environment:
        return Environment(Access(**access_of(self.config)))
