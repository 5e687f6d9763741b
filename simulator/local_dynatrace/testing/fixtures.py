"""pytest fixtures: running local environments, each reset for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_dynatrace.testing import Local


@pytest.fixture(scope="session")
def module_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    local = Local(tmp_path_factory.mktemp("local"))
    yield local
    local.close()


@pytest.fixture
def local(module_local: Local) -> Local:
    """The local environment, reset to its seed, with the clock ``auto`` (one process for the whole run)."""
    module_local.sim("POST", "clock", {"mode": "auto"})  # a reset keeps the mode that the test before has set
    module_local.sim("POST", "reset")
    return module_local


@pytest.fixture(scope="session")
def module_watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    local = Local(tmp_path_factory.mktemp("watched"), clock="frozen", scheduler=True)
    yield local
    local.close()


@pytest.fixture
def watched(module_watched: Local) -> Local:
    """A local environment whose schedules and detectors are at work, on a clock that only the test moves."""
    module_watched.sim("PATCH", "options", {"scheduler": True})
    module_watched.sim("POST", "clock", {"mode": "frozen"})
    module_watched.sim("POST", "reset")
    return module_watched
