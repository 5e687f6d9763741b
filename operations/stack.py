"""A stack as the commands see it: its outputs, its config, its preview, and the environment it is deployed to."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation

from providers.api.environment import Environment
from providers.configuration import KEYS, Values, access_of, read, retyped, texts_to_hide, unknown_settings

from . import streams

ROOT = Path(__file__).resolve().parent.parent
LEFT_ALONE = (automation.OpType.SAME, automation.OpType.READ, automation.OpType.REFRESH)
OWN_TYPES = "pulumi:"
"""Types of Pulumi's own resources: the stack itself and its providers."""


HINTS = {
    r"no stack named": "pulumi stack ls lists the stacks of this backend; pulumi stack init creates one (make up: dev)",
    r"PULUMI_ACCESS_TOKEN must be set": "Log in to your backend first: pulumi login (docs/deploy.md, step 5)",
    r"unable to open state directory": "Check the address of your backend: pulumi login, or PULUMI_BACKEND_URL",
    r"passphrase must be set": "Export one of them first (docs/state-and-upgrades.md, “Encrypt the state”)",
    r"incorrect passphrase": "PULUMI_CONFIG_PASSPHRASE(_FILE) must be the one that the stack was created with",
}
"""What to do next, for messages of Pulumi that do not say it."""


class StackError(Exception):
    """A command cannot do its work on the stack; the text says why."""


class Command(automation.PulumiCommand):
    """The ``pulumi`` command. A failure is a StackError with what the command printed."""

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> automation.CommandResult:
        printed: list[str] = []
        try:
            return super().run(args, cwd, additional_env, on_output or printed.append, on_error or printed.append)
        except automation.CommandError as error:
            said = "\n".join(printed).strip().removeprefix("error: ")
            hints = [hint for pattern, hint in HINTS.items() if re.search(pattern, said)]
            text = ". ".join([said, *hints[:1]])
            raise StackError(text) from error


class Workspace(automation.LocalWorkspace):
    """The project folder. Every command names its stack, so none is selected: the selection is the user's own."""

    def select_stack(self, stack_name: str) -> None:
        pass


@dataclass(frozen=True)
class Preview:
    """What an update would do.

    ``text``: as ``pulumi preview --diff`` prints it. ``changes``: names of the resources that are not left as they are,
    by operation (``update``, ``create``, ...).
    """

    text: str
    changes: dict[str, list[str]]


class Stack:
    """One stack of this project, through Pulumi's Automation API. Secrets stay in this process's memory.

    Args:
        name: as ``pulumi --stack`` takes it.
        folder: of the Pulumi project.
    """

    def __init__(self, name: str, folder: Path = ROOT) -> None:
        self.name, self.folder = name, folder
        file = folder / "Pulumi.yaml"
        try:
            self.project: str = yaml.safe_load(file.read_text(encoding="utf-8"))["name"]
        except (yaml.YAMLError, KeyError, TypeError):
            raise StackError(f"{file} is not the file of a Pulumi project") from None

    @cached_property
    def workspace(self) -> Workspace:
        """Raises StackError without a usable ``pulumi`` command."""
        try:
            return Workspace(str(self.folder), pulumi_command=Command())
        except FileNotFoundError:
            raise StackError("pulumi is not on PATH; run this through make, or see README, “Deploy”") from None
        except automation.InvalidVersionError as error:
            raise StackError(str(error)) from None

    # state

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """Raises StackError if the stack is not deployed."""
        outputs = self._all_outputs()
        if "workflowId" in outputs:
            return outputs
        history = self._deployment.history(page_size=1)
        if history and history[0].result == "failed":
            raise StackError(
                f"stack {self.name} is only partly deployed, because its last `pulumi up` failed; fix what it reported "
                f"(make doctor STACK={self.name} helps), then run `pulumi up --stack {self.name}` again"
            )
        raise StackError(f"stack {self.name} is not deployed; run `pulumi up --stack {self.name}`")

    def _all_outputs(self) -> dict[str, Any]:
        """Empty if it is not deployed. stack_outputs of the Automation API asks twice, to tell which are secrets."""
        words = ["stack", "output", "--json", "--show-secrets", "--stack", self.name]
        found: dict[str, Any] = json.loads(self.workspace.pulumi_command.run(words, str(self.folder), {}).stdout)
        return found

    @property
    def file(self) -> Path:
        """The stack's config file; of a name like ``org/project/stack`` it has the last part."""
        return self.folder / f"Pulumi.{self.name.rsplit('/', 1)[-1]}.yaml"

    @cached_property
    def _resources(self) -> list[dict[str, Any]]:
        deployment = self.workspace.export_stack(self.name).deployment or {}
        return list(deployment.get("resources") or [])

    def recorded(self, resource: str) -> dict[str, Any]:
        """What the state records of a resource, by its name in the program; empty if it has none of the name."""
        return dict(self._resource(resource).get("outputs") or {})

    @property
    def workflow_id(self) -> str:
        """ID of the workflow, empty if there is none. A stack whose first run has failed has no outputs for it."""
        return str(self._resource("workflow").get("id") or "")

    def _resource(self, name: str) -> dict[str, Any]:
        return next((one for one in self._resources if one["urn"].rsplit("::", 1)[-1] == name), {})

    def create(self) -> bool:
        """Create the stack unless it exists; returns whether it was created."""
        try:
            self._all_outputs()
        except StackError as error:
            if not isinstance(error.__cause__, automation.StackNotFoundError):
                raise
            self.workspace.create_stack(self.name)
            return True
        return False

    def preview(self, *, refresh: bool = False) -> Preview:
        """What `pulumi up` would change; with ``refresh``, compared with the live objects. Raises StackError."""
        events: list[automation.EngineEvent] = []
        try:
            done = self._deployment.preview(diff=True, color="never", refresh=refresh, on_event=events.append)
        except StackError as error:
            raise StackError(errors(events) or str(error)) from None
        return Preview(done.stdout.strip(), changes(events))

    def up(self) -> None:
        """Deploy without asking. Raises StackError with the errors."""
        events: list[automation.EngineEvent] = []
        try:
            self._deployment.up(color="never", on_event=events.append)
        except StackError as error:
            raise StackError(errors(events) or str(error)) from None

    def last_update(self) -> tuple[bool, timedelta]:
        """Whether the last update changed a resource, and how long ago it began."""
        history = self._deployment.history(page_size=1)
        if not history:
            return False, timedelta.max
        counts = history[0].resource_changes or {}
        changed = any(count for verb, count in counts.items() if verb not in ("same", "read", "refresh"))
        return changed, datetime.now(UTC) - history[0].start_time.replace(tzinfo=UTC)

    @property
    def _deployment(self) -> automation.Stack:
        return automation.Stack.select(self.name, self.workspace)

    # config

    @cached_property
    def given(self) -> dict[str, str]:
        """The config values that are set, by key, as texts."""
        prefix = f"{self.project}:"
        found = self.workspace.get_all_config(self.name)
        secrets = {key.removeprefix(prefix): entry.value for key, entry in found.items() if entry.secret}
        for text in texts_to_hide(secrets, secrets.keys()):
            streams.hidden.add(text)
        return {key.removeprefix(prefix): entry.value for key, entry in found.items() if key.startswith(prefix)}

    @cached_property
    def config(self) -> Values:
        """The checked config values, by key. Raises StackError with every problem."""
        try:
            return read({key: value for key, value in self.given.items() if key in KEYS})
        except ValueError as problems:
            raise StackError(str(problems)) from None

    @property
    def config_problems(self) -> list[str]:
        """What stops `pulumi up`, but none of the commands: unknown settings, and values that YAML reads otherwise."""
        text = self.file.read_text(encoding="utf-8") if self.file.is_file() else ""
        return [*unknown_settings(self.given), *retyped(text, self.project, self.given)]

    def configure(self, values: Mapping[str, str], *, path: bool = False, secret: bool = False) -> None:
        """Set config values, by key.

        Args:
            path: a key may lead into an object (``adopt.scm``).
            secret: encrypt them. Only for values that are no real secrets: they are arguments of a command meanwhile.
        """
        if values:
            entries = {f"{self.project}:{key}": automation.ConfigValue(text, secret) for key, text in values.items()}
            self.workspace.set_all_config(self.name, entries, path=path)

    def configure_secret(self, key: str, text: str) -> None:
        """Set and encrypt a config value.

        The one plain call of the command: the Automation API passes values as arguments, which every process on the
        machine can read; this passes the secret through stdin.
        """
        command = [self.workspace.pulumi_command.command, "config", "set", "--secret", f"{self.project}:{key}"]
        command += ["--stack", self.name, "--cwd", str(self.folder), "--non-interactive"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, input=text)
        if done.returncode:
            raise StackError(done.stderr.strip().removeprefix("error: "))

    # environment

    @cached_property
    def environment(self) -> Environment:
        return Environment(access_of(self.config))


def changes(events: list[automation.EngineEvent]) -> dict[str, list[str]]:
    """Names of the resources that an engine's events change, by operation, in the engine's order."""
    found: dict[str, list[str]] = {}
    for event in events:
        step = event.resource_pre_event and event.resource_pre_event.metadata
        if step and step.op not in LEFT_ALONE and not step.type.startswith(OWN_TYPES):
            found.setdefault(step.op.value, []).append(step.urn.rsplit("::", 1)[-1])
    return found


def errors(events: list[automation.EngineEvent]) -> str:
    """The error messages among an engine's events. Where nothing answers, each resource fails alike: one is enough."""
    said = [event.diagnostic_event for event in events if event.diagnostic_event]
    by_cause: dict[str, str] = {}
    for one in said:
        if one.severity == "error":
            text = one.message.strip()
            by_cause.setdefault(text.partition(": no answer from ")[2] or text, text)
    return "\n".join(by_cause.values())
