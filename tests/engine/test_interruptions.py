"""A deployment that is interrupted converges with the next one; `make soak` tries every call of every operation."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from dev.soak.interruption import interrupted
from dev.soak.interruption_values import LiveValues, broken
from dev.soak.interruptions import LIVES, nothing, problems_after, shape, state
from local_dynatrace.testing import Local
from tests.engine import inside, vendor
from tests.engine.deployment import Deployment

LIFE = {life.name: life for life in LIVES}
ENTRY = "/api/v2/credentials"
WORKFLOW = "/platform/automation/v1/workflows"


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, str]:
    """What undisturbed operations of odd number make of the environment, by life."""
    return {}


@pytest.mark.parametrize(
    ("name", "mode", "call"),
    [
        ("first up", "cut after the commit, from then on", f"POST {ENTRY}"),
        ("first up", "Ctrl-C", f"POST {WORKFLOW}/*/run"),
        # The workflow is new and the state does not know it: the run of the new revision must still come.
        ("update", "engine killed", f"PUT {WORKFLOW}/*"),
        # The vault has the new secret, the state the old one.
        ("rotation", "cut after the commit, from then on", f"PUT {ENTRY}/*"),
        # The vendor's script is replaced, and its checkpoint is what the first run has to find.
        ("take-over", "engine killed", f"PUT {WORKFLOW}/*"),
        ("destroy", "cut after the commit, from then on", f"DELETE {ENTRY}/*"),
    ],
)
def test_an_interrupted_operation_converges(
    stack: Deployment, local: Local, undisturbed: dict[str, str], name: str, mode: str, call: str
) -> None:
    life = LIFE[name]
    operation, words = life.operation(stack)
    nothing(stack)
    before = state(local)
    if name not in undisturbed and not life.destroys:
        for k in (1, 0) if name in ("update", "rotation") else (1,):
            life.prepare(stack, k)
            operation()
            undisturbed.setdefault(name, shape(stack))
    life.prepare(stack, 3)  # config of an odd number again, with a revision that never was
    stood = LiveValues.of(local)

    outcome = interrupted(stack, operation, words, mode, 1, call)

    assert fnmatchcase(outcome.call, call)
    assert outcome.problems == []
    assert problems_after(stack, life, before, stood, undisturbed.get(name, "")) == ([], [], [])


def test_a_checkpoint_that_was_overwritten_in_between_is_reported_though_a_run_wrote_a_newer_one(local: Local) -> None:
    """Else the campaign's finding nothing lost would prove nothing."""
    checkpoint = vendor.install(local)["checkpoint"]
    stood = LiveValues.of(local)
    assert stood.lost(local) == []

    inside.overwrite(local, checkpoint, "NONE")
    inside.overwrite(local, checkpoint, "2026-01-29T10:00:00Z|")

    writer = "by api-token dt0c01.LOCALDEPLOYTOKENLOCALDEP (204)"
    assert stood.lost(local) == [
        f"PUT of Checkpoint {checkpoint} {writer}",
        f"PUT of Checkpoint {checkpoint} {writer}",
        "checkpoint 2026-01-29T10:00:00Z| instead of 2026-01-29T09:44:11.611092Z|9d3cd09c...",
    ]


def test_a_checkpoint_that_no_run_left_is_reported_by_the_run_that_found_it() -> None:
    ran = [{"checkpointBefore": "none", "checkpointAfter": "2026-01-29T10:00:00Z|"}]

    assert broken("NONE", ran, "2026-01-29T10:00:00Z|") == []
    assert broken(vendor.CHECKPOINT, ran, "2026-01-29T10:00:00Z|") == [
        "a run found checkpoint none instead of 2026-01-29T09:44:11.611092Z|9d3cd09c..."
    ]


def test_a_deleted_entry_and_a_lock_of_a_dead_run_are_reported(local: Local) -> None:
    ids = vendor.install(local)
    stood = LiveValues.of(local)

    inside.overwrite(local, ids["executionLock"], "RUNNING|0b3c|2026-01-29T10:00:00Z|2026-01-29T10:02:10Z")
    inside.delete_entry(local, ids["workflowConfig"])

    lost = stood.lost(local)
    assert f"Config {ids['workflowConfig']} is now None" in lost
    assert any(line.startswith(f"DELETE of Config {ids['workflowConfig']}") for line in lost)
    assert any(line.startswith("the lock is RUNNING|0b3c|") for line in lost)
