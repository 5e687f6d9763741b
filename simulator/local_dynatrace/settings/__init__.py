"""Settings v2 with the one schema that matters here: the allowlist of outbound connections of the JavaScript runtime.

Reading order: ``schema`` (what a value may be), ``hostnames``, ``objects`` (what is stored), ``rules`` (what each
operation does, and which hosts scripts may reach now), ``wire`` and ``routes`` (HTTP), ``errors``.
"""

from __future__ import annotations

from ..kernel.world import World
from .objects import ROW_CHECKS, SCHEMA
from .routes import ROUTES

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]


def setup(world: World) -> None:
    world.store.create(SCHEMA)
