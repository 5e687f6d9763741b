"""Log ingest: what becomes of a record on its way into Grail.

Reading order: ``payload`` (body to records), ``record`` (one record to one row; its helpers ``timestamps``,
``severity``, ``structure``), ``rules`` (a whole batch, its limits and its outcome), ``table``, ``routes``, ``errors``.
"""

from __future__ import annotations

from ..kernel.world import World
from .routes import ROUTES
from .table import ROW_CHECKS, SCHEMA

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]


def setup(world: World) -> None:
    world.store.create(SCHEMA)
