"""Platform management API: what the caller may do."""

from __future__ import annotations

from ..kernel.world import World
from .routes import ROUTES

__all__ = ["ROUTES", "setup"]


def setup(world: World) -> None:
    """Permissions live in the kernel's tables, as every API asks for them."""
