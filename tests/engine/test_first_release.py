"""A stack that the first release deployed: the current program previews no more than CHANGELOG's State line says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.engine.deployment import Deployment

STATES = Path(__file__).parent / "states"
STATE = STATES / "first-release.json"
MARKED = ("scm", "log-ingest", "checkpoint", "execution-lock", "workflow-config")
EXPLAINED = {
    "dynatrace": {"sectigo-dynatrace:owner_only", "sectigo-dynatrace:workflow_actor"},
    **{name: {"stack"} for name in MARKED},
    "scm": {"stack", "tokenUrl"},
    "allowlist": {"stack", "entry"},
    "workflow": {"stack", "script", "parameters"},
    "first-run": {"stack", "revision", "credentials"},
}
"""Inputs that differ, by resource. Extend it only together with the State line in CHANGELOG.md."""
STATE_LINES = re.findall(
    r"^State: .*?\n\n", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
CREATED = set(re.findall(r"\bcreates `([a-z-]+)`", "".join(STATE_LINES)))
"""Resources that the first release did not have: a State line says “creates `NAME`”."""


@pytest.fixture
def stack(deploy: Callable[..., Deployment]) -> Deployment:
    """The dev stack as the first release left it. A preview calls nobody, so its environment need not exist."""
    stack = deploy(stack="dev")
    stack.file.write_text((STATES / "first-release.yaml").read_text())
    stack.pulumi("stack", "import", "--file", str(STATE), "--stack", stack.stack)
    return stack


def previewed(stack: Deployment) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(stack.preview("--json").text)
    return shown


def different(step: dict[str, Any]) -> set[str]:
    old, new = step["oldState"]["inputs"], step["newState"]["inputs"]
    return {key for key in {*old, *new} - {"__provider"} if old.get(key) != new.get(key)}


def test_the_state_of_the_first_release_previews_what_the_changelog_says(stack: Deployment) -> None:
    shown = previewed(stack)

    assert set(shown["changeSummary"]) <= {"same", "update", "create"}
    before = len(json.loads(STATE.read_text())["deployment"]["resources"])
    assert sum(shown["changeSummary"].values()) == before + len(CREATED)
    for step in shown["steps"]:
        name = step["urn"].rsplit("::", 1)[-1]
        assert (step["op"] == "create") == (name in CREATED)
        if step["op"] == "update":
            assert different(step) <= EXPLAINED.get(name, set()), f"{name} differs in {sorted(different(step))}"


def test_a_warning_of_a_provider_counts_as_one(stack: Deployment) -> None:
    stack.configure(maxRetries=5)

    warnings = [one["message"] for one in previewed(stack)["diagnostics"] if one["severity"] == "warning"]

    assert any("edits that were made in the vault are lost" in text for text in warnings)
