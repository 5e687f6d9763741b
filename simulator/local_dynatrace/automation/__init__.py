"""Dynatrace's automation API: workflows, executions, schedules (facts: dynatrace-api 5; dynatrace-runtime 1, 6, 7).

Reading order: ``workflow_checks`` and its neighbours (what a body may say), ``access`` (who sees, owns, acts),
``workflows``, ``executions`` and ``tasks`` (what happens), ``history`` (versions), ``scheduler``, ``views`` (wire
forms), the four route tables.
"""

from __future__ import annotations

from ..kernel.routing import Route
from . import execution_routes, history_routes, settings_routes, workflow_routes
from .row_checks import ROW_CHECKS
from .tables import setup

ROUTES: list[Route] = [
    *workflow_routes.ROUTES,
    *history_routes.ROUTES,
    *execution_routes.ROUTES,
    *settings_routes.ROUTES,
]

__all__ = ["ROUTES", "ROW_CHECKS", "setup"]
