"""pytest fixtures: one running local environment, reset for each test."""

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
    """The local environment, reset to its seed (one process for the whole run)."""
    module_local.sim("POST", "reset")
    return module_local
