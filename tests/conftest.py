from __future__ import annotations

import pytest

SLOW = {"connector", "deploy", "deployed", "prepare", "running", "stack"}
"""Fixtures that deploy a stack or run the sync script: each test that uses one is slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and SLOW & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
