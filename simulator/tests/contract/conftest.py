"""The contract tests' two targets: the local environment always, a tenant where environment variables name one.

``DT_TENANT_RECORD=FOLDER`` keeps what was answered, scrubbed and dated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_dynatrace.testing import Local

from .environment import NEEDED, Environment, missing, of_local, of_tenant
from .recording import Recording, Scrubber


@pytest.fixture(scope="module", params=["local"] if missing() else ["local", "tenant"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    recording = Recording(Scrubber(tuple(os.environ.get(name, "") for name in NEEDED[1:])))
    if request.param == "tenant":
        yield of_tenant(recording)
    else:
        local = Local(tmp_path_factory.mktemp("contract"), clock="frozen")
        yield of_local(local, recording)
        local.close()
    if folder := os.environ.get("DT_TENANT_RECORD"):
        recording.write(Path(folder), f"{request.param}-{request.module.__name__.rsplit('.', 1)[-1]}")


@pytest.fixture
def environment(target: Environment, request: pytest.FixtureRequest) -> Environment:
    target.recording.test = request.node.originalname
    return target
