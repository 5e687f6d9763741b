"""What the automation API hands to the JavaScript runtime."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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
