"""Workflows: create, update, delete, and when their schedule is next due."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.identity import Principal
from ..kernel.store import Row
from ..kernel.world import World
from . import access, history, schedule, throttle, workflow_checks
from .errors import invalid, not_found


def find(world: World, id: str) -> Row | None:
    return world.store.one("SELECT * FROM workflows WHERE id = ?", id)


def get(world: World, id: str, user: str, admin: bool = False) -> Row:
    """A workflow that this user sees. Raises 404."""
    row = find(world, id)
    if row is None or not access.sees(row, user, admin):
        raise not_found("workflow")
    return row


def visible(world: World, user: str, admin: bool) -> list[Row]:
    return [row for row in world.store.all("SELECT * FROM workflows") if access.sees(row, user, admin)]


def create(world: World, principal: Principal, body: Any, admin: bool = False) -> Row:
    """Store a new workflow; an ``id`` in the body is kept (facts: dynatrace-api 5.1, Monaco relies on it)."""
    given = workflow_checks.checked(body, None)
    new = given.pop("id", None) or world.ids.uuid()
    if find(world, new):
        raise invalid({"id": ["workflow with this id already exists."]})
    owner = access.owner(world, principal, given, None, admin)
    actor = access.actor(world, principal, given, None, admin)
    title, definition = split({**workflow_checks.DEFAULTS, **given})
    now = world.clock.now_us()
    world.store.run(
        "INSERT INTO workflows (id, title, definition, owner, actor, version, created_by, created_us, modified_by, "
        "modified_us) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
        new, title, json.dumps(definition), owner, actor, principal.user, now, principal.user, now,
    )  # fmt: skip
    plan(world, new, None)
    return written(world, new)


def update(world: World, principal: Principal, row: Row, body: Any, admin: bool) -> Row:
    """What the body leaves out keeps its value: PUT and PATCH are the same here (facts: dynatrace-api 5.1)."""
    former = json.loads(row["definition"])
    given = workflow_checks.checked(body, {"title": row["title"], **former})
    owner = access.owner(world, principal, given, row["owner"], admin)
    actor = access.actor(world, principal, given, row["actor"], admin)
    if "throttle" in given:
        reset_throttle(world, row["id"])
    skipped = None if "unacknowledgedSkippedScheduleAt" in given else row["skipped_us"]
    title, definition = split({"title": row["title"], **former, **given})
    world.store.run(
        "UPDATE workflows SET title = ?, definition = ?, owner = ?, actor = ?, version = version + 1, "
        "modified_by = ?, modified_us = ?, skipped_us = ? WHERE id = ?",
        title, json.dumps(definition), owner, actor, principal.user, world.clock.now_us(), skipped, row["id"],
    )  # fmt: skip
    plan(world, row["id"], former)
    return written(world, row["id"])


def written(world: World, id: str) -> Row:
    """The row of a workflow whose new version is complete."""
    row = find(world, id)
    assert row is not None
    history.keep(world, row)
    world.changed("workflow", id)
    return row


def delete(world: World, id: str) -> None:
    """Running executions go on without their workflow."""
    world.store.run("DELETE FROM workflows WHERE id = ?", id)
    history.forget(world, id)
    world.changed("workflow", id)


def reset_throttle(world: World, id: str) -> None:
    throttle.reset(world, id)
    world.changed("workflow", id)


def split(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Title, and the definition without what has a column of its own or is only a request."""
    apart = ("title", "owner", "actor", "throttle", "unacknowledgedSkippedScheduleAt")
    return given["title"], {name: value for name, value in given.items() if name not in apart}


def ticking(definition: dict[str, Any] | None) -> dict[str, Any] | None:
    """The schedule that starts this workflow, if one does."""
    if definition is None or not definition["isDeployed"]:
        return None
    found: dict[str, Any] | None = definition["trigger"].get("schedule")
    return found if found and found["isActive"] else None


def plan(world: World, id: str, former: dict[str, Any] | None) -> None:
    """Set the next tick. A schedule that was activated or changed counts from now; another edit leaves it alone."""
    row = find(world, id)
    assert row is not None
    now, planned = world.clock.now_us(), ticking(json.loads(row["definition"]))
    if planned is None:
        world.store.run("UPDATE workflows SET anchor_us = NULL, next_us = NULL WHERE id = ?", id)
    elif planned != ticking(former):
        world.store.run(
            "UPDATE workflows SET anchor_us = ?, next_us = ? WHERE id = ?",
            now, schedule.following(planned, now, now), id,
        )  # fmt: skip
