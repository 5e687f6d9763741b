"""Credential vault v2: entries whose secrets go in and come out to workflow scripts only.

Reading order: ``entries`` (what is stored), ``form`` (what a write must look like), ``access`` (who may), ``rules``
(what each operation does), ``listing``, ``wire`` and ``routes`` (HTTP), ``errors``.
"""

from __future__ import annotations

from ..kernel.world import World
from .entries import ROW_CHECKS, SCHEMA
from .routes import ROUTES

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]


def setup(world: World) -> None:
    world.store.create(SCHEMA)
