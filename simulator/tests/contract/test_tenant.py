"""Says, loudly and once, when nobody asked a real tenant."""

from __future__ import annotations

import pytest

from .environment import Environment, missing


@pytest.mark.skipif(
    bool(missing()),
    reason=f"CONTRACT NOT CHECKED AGAINST A REAL TENANT: set {', '.join(missing())} (tests/contract/environment.py)",
)
def test_a_real_tenant_was_asked_too(environment: Environment) -> None:
    assert environment.platform("GET", "/automation/v1/version").status_code == 200
