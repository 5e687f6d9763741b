"""What the page shows of the credential vault: metadata, and of values only those that are no secrets."""

from __future__ import annotations

from typing import Any

from ..kernel.world import World
from ..vault import entries
from ..vault.entries import Entry
from .executions import name_of

TYPES = {"TOKEN": "Token", "USERNAME_PASSWORD": "User and password", "CERTIFICATE": "Certificate"}


def rows(world: World) -> list[dict[str, Any]]:
    modified = {row["id"]: row["modified_us"] for row in world.store.all("SELECT id, modified_us FROM credentials")}
    values = {id: text for plugin in world.plugins for id, text in plugin.pages.vault_values(world).items()}
    return [
        {
            "id": entry.id,
            "name": entry.content.name,
            "description": entry.content.description,
            "type": TYPES.get(entry.content.type, entry.content.type),
            "owner": name_of(world, entry.owner),
            "scopes": entry.content.scopes,
            "access": access(world, entry),
            "contextless": entry.content.contextless,
            "modified": modified[entry.id],
            "value": values.get(entry.id),
        }
        for entry in entries.after(world, 0)
    ]


def access(world: World, entry: Entry) -> str:
    if entry.content.owner_only:
        return "Owner only"
    users = [name_of(world, str(each["id"])) or "" for each in entry.content.allowed if each.get("type") == "USER"]
    return f"Shared with {', '.join(users)}" if users else "Everyone"
