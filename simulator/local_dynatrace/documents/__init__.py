"""Dynatrace's Documents API: dashboards, notebooks and whatever else apps keep (facts: dynatrace-api 11; SDO).

Reading order: ``tables`` (what is stored), ``form`` (what a multipart body may say), ``access`` (who sees, changes and
deletes), ``filters`` and ``listing``, ``wire`` and the two route tables, ``errors``.
"""

from __future__ import annotations

from ..kernel.routing import Route
from ..kernel.world import World
from . import routes, trash_routes
from .tables import ROW_CHECKS, SCHEMA

ROUTES: list[Route] = [*routes.ROUTES, *trash_routes.ROUTES]

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]


def setup(world: World) -> None:
    world.store.create(SCHEMA)
