"""A stack that the first release deployed: the current program previews no more than CHANGELOG's State line says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.engine.deployment import Deployment

STATES = Path(__file__).parent / "states"
EXPLAINED = {"workflow": {"script"}, "first-run": {"revision"}}
"""Inputs that differ, by resource. Extend it only together with the State line in CHANGELOG.md."""


def different(step: dict[str, Any]) -> set[str]:
    old, new = step["oldState"]["inputs"], step["newState"]["inputs"]
    return {key for key in {*old, *new} - {"__provider"} if old.get(key) != new.get(key)}


def test_the_state_of_the_first_release_previews_what_the_changelog_says(deploy: Callable[..., Deployment]) -> None:
    stack = deploy(stack="dev")
    stack.file.write_text((STATES / "first-release.yaml").read_text())
    recorded = json.loads((STATES / "first-release.json").read_text())["deployment"]["resources"]
    stack.pulumi("stack", "import", "--file", str(STATES / "first-release.json"), "--stack", stack.stack)

    # A preview calls nobody, so the environment of that stack need not exist.
    shown = json.loads(stack.preview("--json").text)

    assert set(shown["changeSummary"]) <= {"same", "update"}
    assert sum(shown["changeSummary"].values()) == len(recorded)
    for step in shown["steps"]:
        name = step["urn"].rsplit("::", 1)[-1]
        if step["op"] == "update":
            assert different(step) <= EXPLAINED.get(name, set()), f"{name} differs in {sorted(different(step))}"
