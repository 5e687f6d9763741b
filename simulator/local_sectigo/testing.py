"""Helpers for tests that need SCM's side of a local environment."""

from __future__ import annotations

from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SEED

CLIENT: dict[str, str] = SEED["scm_clients"][0]
"""``id`` and ``secret`` of the seed's API client."""


def inject(local: Local, *records: dict[str, Any], visible_after_s: float = 0) -> None:
    """Put audit records into SCM, exactly as given."""
    local.sim("POST", "scm/records", {"records": list(records), "visibleAfterS": visible_after_s})


def issued(local: Local, **query: Any) -> list[dict[str, Any]]:
    """Every audit record there is, visible or not, oldest first; ``from`` and ``to`` as RFC 3339."""
    found: list[dict[str, Any]] = local.sim("GET", "scm/records", **query)["records"]
    return [entry["record"] for entry in found]
