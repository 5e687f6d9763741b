"""Who may write an anomaly detector, and for whom (facts: alerting 1). Texts UNVERIFIED but for the first."""

from __future__ import annotations

from typing import Any

from ..kernel.checks import Violation, violation
from ..kernel.identity import Principal
from ..kernel.world import World

NO_OAUTH = "Could not do validation as request was not done using oAuth."
USE_SERVICE_USERS, EXECUTE = "iam:service-users:use", "davis:analyzers:execute"


def problems(world: World, who: Principal, value: dict[str, Any], at: str) -> list[Violation]:
    """What stands against this caller writing this valid value."""
    if who.kind != "bearer":
        return [violation(at, NO_OAUTH)]
    actor = value["executionSettings"].get("actor")
    permissions = world.identity.permissions(who.user)
    if actor is None or actor == who.user:
        needed = EXECUTE if person(world, who.user) else None
    elif person(world, actor) is not False:
        return [violation(f"{at}/executionSettings/actor", "Must be a service user or the caller")]
    else:
        needed = USE_SERVICE_USERS
    if needed and needed not in permissions:
        return [violation(f"{at}/executionSettings/actor", f"The permission {needed} is missing")]
    return []


def person(world: World, user: str) -> bool | None:
    """Whether a user is a person and no service user; None for an unknown one."""
    row = world.identity.user(user)
    return None if row is None else row["kind"] == "person"
