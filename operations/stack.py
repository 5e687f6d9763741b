"""A stack as the command line sees it: its outputs, its config, and the environment it lives in."""

from __future__ import annotations

import json
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from providers.api.environment import Environment
from providers.configuration import KEYS, Values, access_of, read

ROOT = Path(__file__).resolve().parent.parent


class StackError(Exception):
    """The stack cannot be read; the text says why."""


class Stack:
    """Reads through the ``pulumi`` command; secrets stay in this process's memory.

    Args:
        name: as ``pulumi --stack`` takes it.
        folder: of the Pulumi project.
    """

    def __init__(self, name: str, folder: Path = ROOT) -> None:
        self.name, self.folder = name, folder
        self.project: str = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]

    def pulumi(self, *arguments: str, input: str | None = None) -> str:
        """What the command prints. Raises StackError with its own words."""
        command = ["pulumi", *arguments, "--stack", self.name, "--cwd", str(self.folder), "--non-interactive"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, input=input)
        except FileNotFoundError:
            raise StackError("pulumi is not on PATH; run this through make, or see README, “Deploy”") from None
        if done.returncode:
            raise StackError((done.stderr or done.stdout).strip())
        return done.stdout

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """Raises StackError if the stack is not deployed."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        if "workflowId" not in outputs:
            raise StackError(f"stack {self.name} is not deployed; run `pulumi up --stack {self.name}`")
        return outputs

    @cached_property
    def given(self) -> dict[str, str]:
        """The config values that are set, by key, as texts."""
        raw = json.loads(self.pulumi("config", "--show-secrets", "--json"))
        prefix = f"{self.project}:"
        return {key.removeprefix(prefix): entry["value"] for key, entry in raw.items() if key.startswith(prefix)}

    @cached_property
    def config(self) -> Values:
        """The checked config values, by key. Raises StackError with every problem."""
        try:
            return read({key: value for key, value in self.given.items() if key in KEYS})
        except ValueError as problems:
            raise StackError(str(problems)) from None

    @cached_property
    def environment(self) -> Environment:
        return Environment(access_of(self.config))

    def titled(self, name: str) -> str:
        """An object's full name: the connector's name and this one."""
        return f"{self.config['name']} {name}"
