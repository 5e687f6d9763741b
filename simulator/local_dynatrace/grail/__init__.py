"""Grail: DQL queries over the ingested logs.

``dql`` is the language, ``queries`` keeps those that are polled, ``result`` and ``errors`` write the wire, ``routes``.
"""

from __future__ import annotations

from ..kernel.world import World
from . import buckets, queries
from .queries import ROW_CHECKS
from .routes import ROUTES as QUERY_ROUTES

ROUTES = [*QUERY_ROUTES, *buckets.ROUTES]

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]


def setup(world: World) -> None:
    """Create the tables; idempotent. Table ``logs`` is the log ingest's."""
    world.store.create(queries.SCHEMA)
