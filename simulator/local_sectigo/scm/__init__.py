"""Sectigo: its token endpoint, the SCM audit API and the stream of audit records of an invented company.

Reading order: ``company`` (who and what there is), ``stories`` (what happens to it), ``stream`` (when), ``records``
(the store and its pages), ``clients`` (who may read), ``routes``. ``control`` has the routes under ``/_sim``.
Record field names and everything else nobody outside Sectigo could confirm are in ``wire`` (facts: sectigo 0, 2.2).
"""

from __future__ import annotations

from local_dynatrace.kernel.world import World

from . import clients, records
from .routes import ROUTES

__all__ = ["ROUTES", "setup"]


def setup(world: World) -> None:
    """Create the tables; idempotent."""
    world.store.create(clients.SCHEMA)
    world.store.create(records.SCHEMA)
