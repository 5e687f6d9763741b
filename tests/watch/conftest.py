from __future__ import annotations

import pytest

from local_dynatrace.testing import Local
from tests.watch.detection import Watched


@pytest.fixture
def watched(watched: Local) -> Watched:
    """The local environment whose detectors run, on a clock that tests step."""
    return Watched(watched)
