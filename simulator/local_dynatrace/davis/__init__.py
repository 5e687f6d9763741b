"""Davis: anomaly detectors that are really evaluated, and the events and problems that they open and close.

Reading order: ``samples`` (when a series violates), ``series`` (what a query gives), ``evaluation`` (which detector
when), ``tables``, ``records`` with ``templates`` (what an event says), ``data_objects`` (what DQL reads).
"""

from __future__ import annotations

from ..kernel.routing import Route
from ..kernel.world import World
from . import data_objects
from .tables import ROW_CHECKS, SCHEMA

ROUTES: list[Route] = []
"""Detectors are settings objects, problems are read by DQL."""

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]


def setup(world: World) -> None:
    world.store.create(SCHEMA)
    data_objects.register(world)
