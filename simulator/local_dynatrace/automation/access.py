"""Who sees a workflow, who owns it and for whom it acts (facts: dynatrace-api 5.6)."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.identity import Principal
from ..kernel.routing import platform_error
from ..kernel.store import Row
from ..kernel.world import World
from .errors import invalid, no_admin_access

ADMIN = "automation:workflows:admin"
USE_SERVICE_USERS = "iam:service-users:use"


def admin_access(principal: Principal, wanted: bool) -> bool:
    """Whether this call looks past ownership. Raises 403 if it asks for that without the scope."""
    if wanted and ADMIN not in principal.scopes:
        raise no_admin_access()
    return wanted


def sees(row: Row, user: str, admin: bool) -> bool:
    """Private workflows are their owner's alone; one that a group owns is seen by all, as there are no groups here."""
    definition = json.loads(row["definition"])
    return admin or not definition["isPrivate"] or definition["ownerType"] == "GROUP" or row["owner"] == user


def owner(world: World, principal: Principal, given: dict[str, Any], former: str | None, admin: bool) -> str:
    """The owner after a write: the creator, until the owner or an administrator hands it on."""
    wanted = given.get("owner", former or principal.user)
    if wanted != former and given.get("ownerType", "USER") == "USER" and not world.identity.user(wanted):
        raise invalid({"owner": [f'Invalid owner "{wanted}" - user does not exist.']})
    if former is not None and wanted != former and former != principal.user and not admin:
        raise platform_error(403, "Only the owner can change the owner of a workflow.")  # UNVERIFIED text
    return str(wanted)


def actor(world: World, principal: Principal, given: dict[str, Any], former: str | None, admin: bool) -> str:
    """The actor after a write: the writer, unless an administrator writes or the actor is a service user."""
    wanted = given.get("actor")
    if wanted is None or wanted == former:
        if former is not None and (admin or is_service_user(world, former)):
            return former
        return principal.user
    if wanted == principal.user:
        return str(wanted)
    if not is_service_user(world, wanted):
        # [D]: a workflow cannot act for another person.
        raise invalid({"actor": ["Only yourself or a service user can be the actor."]})
    if USE_SERVICE_USERS not in world.identity.permissions(principal.user):
        raise platform_error(403, "Insufficient permissions.", {"missingPermissions": [USE_SERVICE_USERS]})
    return str(wanted)


def is_service_user(world: World, user: str) -> bool:
    row = world.identity.user(user)
    return row is not None and row["kind"] == "service"
