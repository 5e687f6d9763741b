"""Buckets of Grail, read only (``/platform/storage/management/v1``; facts: dynatrace-api 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .scopes import BUCKETS

PATH = "/platform/storage/management/v1/bucket-definitions"


class Buckets:
    """The buckets of one environment."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def retention_days(self, name: str) -> int:
        """How long a bucket keeps its records."""
        found = self._call("GET", f"{PATH}/{name}", scopes=(BUCKETS.scope,))
        return int(found["retentionDays"])
