"""Dynatrace SSO: OAuth 2.0 client credentials for the platform APIs."""

from __future__ import annotations

from ..kernel.world import World
from .routes import ROUTES

__all__ = ["ROUTES", "setup"]


def setup(world: World) -> None:
    """Clients and tokens live in the kernel's tables, as every API asks for them."""
