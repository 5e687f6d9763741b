"""``/_sim/…``: the control API of the local environment. Nothing of it exists in Dynatrace."""

from __future__ import annotations

from ..kernel.routing import Route
from . import routes, state_routes

ROUTES: list[Route] = [*routes.ROUTES, *state_routes.ROUTES]

__all__ = ["ROUTES"]
