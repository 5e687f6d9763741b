from __future__ import annotations

import pytest

from local_dynatrace.testing import Local

from .connector import Connector


@pytest.fixture
def connector(local: Local) -> Connector:
    return Connector(local)
