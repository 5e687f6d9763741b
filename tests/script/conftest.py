from __future__ import annotations

import pytest

from tests.local import Local

from .connector import Connector


@pytest.fixture
def connector(local: Local) -> Connector:
    return Connector(local)
