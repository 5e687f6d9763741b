from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.testing import Local
from tests.engine.deployment import Deployment


@pytest.fixture
def deploy(local: Local, tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Prepares stacks in this local environment; each is in a scratch folder of its own."""
    local.sim("POST", "clock", {"mode": "auto"})
    made: list[Deployment] = []

    def prepare(**more: Any) -> Deployment:
        made.append(Deployment(tmp_path / str(len(made)), local, **more))
        return made[-1]

    yield prepare


@pytest.fixture
def stack(deploy: Callable[..., Deployment]) -> Deployment:
    """A stack that is not deployed yet."""
    return deploy()
