from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_dynatrace.testing import Local
from tests.watch.detection import Watched


@pytest.fixture(scope="module")
def clockwork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A local environment whose detectors run, on a clock that tests step."""
    local = Local(tmp_path_factory.mktemp("clockwork"), clock="frozen", scheduler=True)
    yield local
    local.close()


@pytest.fixture
def watched(clockwork: Local) -> Watched:
    clockwork.sim("POST", "clock", {"mode": "frozen"})
    clockwork.sim("POST", "reset")
    return Watched(clockwork)
