"""What the automation API hands to a runtime of scripts, and what everybody may ask of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Job:
    """One action execution: a script and for whom it runs."""

    execution_id: str
    action_execution_id: str
    workflow_id: str
    task_name: str
    script: str
    actor: str
    timeout_s: float = 3600.0
    loop_item: dict[str, Any] = field(default_factory=dict)


class Script(Protocol):
    """A running script."""

    @property
    def frozen(self) -> bool: ...


class Scripts(Protocol):
    """All running scripts; the runtime package has the implementation."""

    @property
    def running(self) -> Mapping[str, Script]:
        """By execution: tasks of one execution run one after another."""

    def launch(self, job: Job) -> None:
        """Start a script. It counts as running from now on."""

    async def kill(self, execution_id: str) -> None:
        """End a script as the platform does at its limits; returns when that is recorded."""

    async def kill_all(self) -> None:
        """End every running script, and those that start because one has ended."""

    def freeze(self, execution_id: str) -> None:
        """Stop the script's process where it is; time goes on without it."""

    def thaw(self, execution_id: str) -> None:
        """Let a frozen script continue."""
