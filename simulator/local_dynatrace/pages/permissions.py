"""What the page ``…/dynatrace.automations/settings`` shows: what a workflow may do for each user it can act for."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.world import World

PRIMARY = ("app-engine:functions:run",)
SECONDARY = (
    "automation:workflows:read",
    "automation:workflows:run",
    "environment-api:credentials:read",
    "environment-api:credentials:write",
)
"""What scripts that read and write the vault and start workflows need."""


def rows(world: World) -> list[dict[str, Any]]:
    found = []
    for user in world.store.all("SELECT * FROM users ORDER BY kind DESC, name"):
        granted = json.loads(user["permissions"])
        found.append(
            {
                "name": user["name"],
                "email": user["email"],
                "kind": "Service user" if user["kind"] == "service" else "Person",
                "needed": [(permission, permission in granted) for permission in (*PRIMARY, *SECONDARY)],
                "more": sorted(set(granted) - {*PRIMARY, *SECONDARY}),
            }
        )
    return found
