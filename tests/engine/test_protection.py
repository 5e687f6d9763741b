"""``protectState``: nothing deletes checkpoint and lock until it is set to false, and nothing is half done."""

from __future__ import annotations

from local_dynatrace.testing import Local
from tests.engine.deployment import PROJECT, Deployment

STATE = "pulumi-python:dynamic/dynatrace:StateCredential"


def test_a_protected_stack_is_not_destroyed_in_part_moved_or_replaced(stack: Deployment, local: Local) -> None:
    nothing = local.sim("GET", "dump")
    stack.configure(protectState="true")
    stack.up()
    before = local.sim("GET", "dump")

    refused = stack.destroy(check=False)
    assert "because it is protected" in refused.text
    urn = f"urn:pulumi:{stack.stack}::{PROJECT}::{STATE}::checkpoint"
    assert stack.up("--replace", urn, check=False).code != 0
    assert stack.pulumi("stack", "rm", stack.stack, "--yes", check=False).code != 0
    stack.configure(name="Another")
    moved = stack.up(check=False)
    assert "name cannot change from 'Sectigo SCM' to 'Another'. One stack is one connector" in moved.text
    assert local.sim("GET", "dump") == before

    stack.configure(name="Sectigo SCM", protectState="false")
    assert stack.up().changes == {}
    stack.destroy()
    assert local.sim("GET", "dump") == nothing
