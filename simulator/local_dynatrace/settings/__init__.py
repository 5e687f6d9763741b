"""Settings v2: the allowlist of outbound connections of the JavaScript runtime, and anomaly detectors.

Reading order: ``schema`` and ``schemas/`` (what a value may be), ``constraints`` (the interpreter of that), its
``validators`` with ``hostnames`` and ``analyzers``; ``objects`` (what is stored), ``rules`` (what each operation does),
``detectors`` (who may write one), ``outbound`` (which hosts scripts may reach now), ``wire`` and ``routes`` (HTTP),
``errors``.
"""

from __future__ import annotations

from ..kernel.rows import RowChecks
from ..kernel.world import World
from . import objects, outbound
from .routes import ROUTES

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]

ROW_CHECKS = RowChecks({**objects.ROW_CHECKS.cells, **outbound.ROW_CHECKS.cells}, clocked=objects.ROW_CHECKS.clocked)


def setup(world: World) -> None:
    world.store.create(objects.SCHEMA)
    world.store.create(outbound.SCHEMA)
