"""Access tokens API: metadata of an API token."""

from __future__ import annotations

from ..kernel.world import World
from .routes import ROUTES

__all__ = ["ROUTES", "setup"]


def setup(world: World) -> None:
    """API tokens live in the kernel's tables, as every classic API asks for them."""
