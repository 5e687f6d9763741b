"""Killed in the middle of writes (kill -9): nothing acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_dynatrace.testing import Local

from .crash import kill_and_look

pytestmark = pytest.mark.slow

ROUNDS = 3


def test_nothing_acknowledged_is_lost_however_often_it_is_killed(tmp_path: Path) -> None:
    local = Local(tmp_path, script_parallel=2)
    try:
        acknowledged = [kill_and_look(local, seed) for seed in range(ROUNDS)]
    finally:
        local.close()

    assert sum(acknowledged) > 100
