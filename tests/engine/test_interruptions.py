"""A deployment that is interrupted converges with the next one; `make soak` tries every call of every operation."""

from __future__ import annotations

import pytest

from soak.interruption import interrupted
from soak.interruptions import LIVES, problems_after, shape, state
from tests.engine.deployment import Deployment
from tests.local import Local

FIRST_UP = next(life for life in LIVES if life.name == "first up")
DESTROY = next(life for life in LIVES if life.name == "destroy")
CALL_OF = {"claim": 7, "allowlist": 8, "workflow": 14, "run": 16}
"""Writes of a first deployment, by their place among its calls."""


@pytest.fixture
def reference(stack: Deployment, local: Local) -> str:
    """What an undisturbed deployment makes of the environment."""
    FIRST_UP.prepare(stack, 0)
    stack.up()
    return shape(stack)


@pytest.mark.parametrize(
    ("mode", "write"),
    [
        ("cut after the commit, from then on", "claim"),
        ("engine killed", "allowlist"),
        ("500 after the commit, once", "workflow"),
        ("Ctrl-C", "run"),
    ],
)
def test_a_first_deployment_converges(stack: Deployment, local: Local, reference: str, mode: str, write: str) -> None:
    FIRST_UP.prepare(stack, 1)
    before = state(local)
    operation, words = FIRST_UP.operation(stack)

    outcome = interrupted(stack, operation, words, mode, CALL_OF[write])

    assert outcome.hit
    assert outcome.problems == []
    assert problems_after(stack, FIRST_UP, before, reference) == ([], [], [])


@pytest.mark.parametrize(("mode", "k"), [("engine killed", 5), ("cut after the commit, from then on", 9)])
def test_a_destruction_converges(stack: Deployment, local: Local, mode: str, k: int) -> None:
    FIRST_UP.prepare(stack, 0)
    before = state(local)
    stack.up()
    operation, words = DESTROY.operation(stack)

    outcome = interrupted(stack, operation, words, mode, k)

    assert outcome.hit
    assert outcome.problems == []
    assert state(local) == before
