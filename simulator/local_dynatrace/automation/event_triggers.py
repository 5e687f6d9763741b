"""Which workflows an event starts (facts: alerting 4). ``event_trigger_checks`` has what a trigger may ask for."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ..grail.dql.matcher import matcher
from ..kernel.world import World
from . import executions, expressions

READ = ("storage:events:read", "storage:buckets:read")
"""What the workflow's actor needs."""
compiled = lru_cache(maxsize=100)(matcher)


def happened(world: World, event: dict[str, Any]) -> None:
    """Start every workflow whose trigger matches; once for each value of its unique expression."""
    for row in world.store.all("SELECT * FROM workflows ORDER BY id"):
        definition = json.loads(row["definition"])
        trigger = definition["trigger"].get("eventTrigger")
        if not (trigger and trigger["isActive"] and definition["isDeployed"]):
            continue
        if not world.identity.permissions(row["actor"]).issuperset(READ) or not compiled(trigger["filterQuery"])(event):
            continue
        unique = expressions.Expressions({"event": lambda: event}).text(trigger["uniqueExpression"])
        try:
            executions.start(
                world, row["id"], trigger_type="Event", user=None, params={"event": event}, unique_qualifier=unique
            )
        except executions.ThrottledError:
            continue
