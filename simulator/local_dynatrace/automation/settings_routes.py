"""What surrounds workflows: version, settings, permissions, time zones, schedule preview, the environment's domain."""

from __future__ import annotations

from typing import Any

from ..kernel.clock import iso
from ..kernel.routing import Answer, Call, Route
from . import schedule, trigger_checks
from .checks import InvalidError, mapping
from .errors import invalid
from .workflow_checks import HOURLY_EXECUTIONS
from .workflow_routes import READ, body

BASE = "/platform/automation/v1"
CLASSIC_DOMAIN = "/platform/metadata/v1/classic-environment-domain"
VERSION = "1.0.0"
"""Of the automation service; its form is UNVERIFIED."""
PREVIEWED = 10
SCOPES = {
    "automation:workflows:read": "Read workflows",
    "automation:workflows:write": "Create and edit workflows",
    "automation:workflows:run": "Run workflows",
    "automation:workflows:admin": "Administrate workflows",
}


def version(call: Call) -> Answer:
    return Answer(200, {"version": VERSION})


def settings(call: Call) -> Answer:
    count = call.world.store.one("SELECT count(*) AS n FROM workflows")
    limits = {
        "hourlyExecutionUpperBoundStandard": HOURLY_EXECUTIONS,
        "hourlyExecutionDefaultStandard": HOURLY_EXECUTIONS,
        "hourlyExecutionUpperBoundSimple": HOURLY_EXECUTIONS,
        "hourlyExecutionDefaultSimple": HOURLY_EXECUTIONS,
        "hourlyEventTriggerStandard": HOURLY_EXECUTIONS,
        "hourlyEventTriggerSimple": HOURLY_EXECUTIONS,
    }
    environment = {
        "id": call.world.store.meta("environment", "local"),
        "workflowsCount": count["n"] if count else 0,
        "limits": limits,
    }
    return Answer(200, {"scopes": SCOPES, "groupId": "", "policyId": "", "features": [], "environment": environment})


def user_permissions(call: Call) -> Answer:
    """What the caller may do with workflows; on the platform a person's consent narrows it, which is not simulated."""
    permissions = call.world.identity.permissions(call.who.user)
    return Answer(200, sorted(name for name in permissions if name.startswith(("automation:", "app-engine:"))))


def authorizations_update(call: Call) -> Answer:
    return Answer(202)


def timezones(call: Call) -> Answer:
    return Answer(200, list(trigger_checks.timezones()))


def preview(call: Call) -> Answer:
    """The next starts of a schedule, were it activated now."""
    try:
        checked = trigger_checks.schedule(mapping(body(call)).get("schedule"))
    except InvalidError as wrong:
        raise invalid({"schedule": wrong.details}) from None
    ticks = schedule.upcoming(checked, call.world.clock.now_us(), PREVIEWED) if checked else []
    return Answer(200, {"valid": True, "error": None, "nextExecutions": [iso(tick) for tick in ticks]})


def empty_list(call: Call) -> Answer:
    return Answer(200, {"count": 0, "results": []})


def classic_domain(call: Call) -> Answer:
    """Live host and apps host are one here (facts: dynatrace-api 1, MO)."""
    return Answer(200, {"domain": call.world.url})


def current_user(call: Call) -> Answer:
    """Who the caller is (DC: a client asks it of itself)."""
    row = call.world.identity.user(call.who.user)
    assert row is not None
    return Answer(200, {"userId": row["id"], "userName": row["name"], "emailAddress": row["email"]})


def route(method: str, path: str, handler: Any, scope: str = READ, **more: Any) -> Route:
    return Route(method, path, handler, "automation", "platform", scope, **{"source": "SA, P-A", **more})


ROUTES: list[Route] = [
    route("GET", f"{BASE}/version", version),
    route("GET", f"{BASE}/settings", settings, fidelity="approximate", note="no group, no policy"),
    route("GET", f"{BASE}/settings/user-permissions", user_permissions, fidelity="approximate", note="no consent page"),
    route("POST", f"{BASE}/settings/authorizations-update", authorizations_update, source="SA, TF#447",
          fidelity="approximate", note="accepted; there is no consent to update"),
    route("GET", f"{BASE}/schedules/timezones", timezones),
    route("POST", f"{BASE}/schedules/preview", preview),
    route("GET", f"{BASE}/business-calendars", empty_list, fidelity="approximate", note="there are none"),
    route("GET", f"{BASE}/scheduling-rules", empty_list, fidelity="approximate", note="there are none"),
    route("GET", CLASSIC_DOMAIN, classic_domain, "app-engine:apps:run", source="MO"),
    route("GET", "/platform/metadata/v1/user", current_user, "app-engine:apps:run", source="DC"),
]  # fmt: skip
