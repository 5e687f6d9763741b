"""Users, API tokens, platform tokens, OAuth clients and those of plug-ins, as ``POST /_sim/identities`` brings them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.world import World
from ..plugins import IdentityKind
from .checks import refused, time_us

USER = ("id", "email", "name", "kind", "permissions")
API_TOKEN = ("token", "name", "owner", "scopes", "expirationDate")
OAUTH_CLIENT = ("id", "secret", "subject", "scopes", "account")


def add(world: World, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Add or replace by id; owners and subjects may be named by user id or e-mail. Returns the public ids."""
    made: dict[str, list[str]] = {name: [] for name in kinds(world)}
    for user in entries(values, "users", USER):
        added = {"kind": "person", "permissions": [], "name": user.get("email", ""), **user}
        world.identity.add_user(**{key: required(added, key, "users") for key in USER})
        made["users"].append(added["id"])
    for name in ("apiTokens", "platformTokens"):
        for token in entries(values, name, API_TOKEN):
            public = world.identity.add_api_token(
                required(token, "token", name),
                name=token.get("name", ""),
                owner=user_id(world, required(token, "owner", name)),
                scopes=required(token, "scopes", name),
                expires_us=expiry(token.get("expirationDate")),
            )
            made[name].append(public)
    for client in entries(values, "oauthClients", OAUTH_CLIENT):
        world.identity.add_oauth_client(
            required(client, "id", "oauthClients"),
            required(client, "secret", "oauthClients"),
            subject=user_id(world, required(client, "subject", "oauthClients")),
            scopes=required(client, "scopes", "oauthClients"),
            account=client.get("account", world.store.meta("account", "")),
        )
        made["oauthClients"].append(client["id"])
    for name, kind in more(world).items():
        for entry in entries(values, name, kind.members):
            kind.add(world, *(required(entry, member, name) for member in kind.members))
            made[name].append(entry[kind.members[0]])
    return made


def more(world: World) -> dict[str, IdentityKind]:
    """What the plug-ins add, by the key of the list."""
    return {name: kind for plugin in world.plugins for name, kind in plugin.identities.items()}


def kinds(world: World) -> tuple[str, ...]:
    """The keys of the lists that ``add`` takes."""
    return ("users", "apiTokens", "platformTokens", "oauthClients", *more(world))


def change_api_token(world: World, id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Enable, disable or let expire (``expirationDate``: a time, or null for never)."""
    if world.store.one("SELECT 1 FROM api_tokens WHERE id = ?", id) is None:
        raise refused(404, f"There is no API token {id}.")
    if "enabled" in values:
        if not isinstance(values["enabled"], bool):
            raise refused(400, "enabled: expected true or false.")
        world.store.run("UPDATE api_tokens SET enabled = ? WHERE id = ?", int(values["enabled"]), id)
    if "expirationDate" in values:
        world.store.run("UPDATE api_tokens SET expires_us = ? WHERE id = ?", expiry(values["expirationDate"]), id)
    row = world.store.one("SELECT * FROM api_tokens WHERE id = ?", id)
    assert row is not None
    return world.identity.describe_api_token(row)


def entries(values: Mapping[str, Any], name: str, known: tuple[str, ...]) -> list[dict[str, Any]]:
    found = values.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise refused(400, f"{name}: expected a list of objects.")
    if unknown := sorted({key for entry in found for key in entry} - set(known)):
        raise refused(400, f"{name}: unknown {', '.join(unknown)} (known: {', '.join(known)}).")
    return found


def required(entry: Mapping[str, Any], key: str, name: str) -> Any:
    if entry.get(key) is None:
        raise refused(400, f"{name}: {key} is required.")
    value = entry[key]
    texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if not (texts if key in ("scopes", "permissions") else isinstance(value, str)):
        raise refused(
            400, f"{name}: {key}: expected {'a list of strings' if key in ('scopes', 'permissions') else 'a string'}."
        )
    return value


def user_id(world: World, name: str) -> str:
    """A user's id by id or e-mail address."""
    row = world.store.one("SELECT id FROM users WHERE id = ? OR email = ?", name, name)
    if row is None:
        raise refused(400, f"There is no user '{name}'.")
    return str(row["id"])


def expiry(text: Any) -> int | None:
    return None if text is None else time_us(text, "expirationDate") // MICROSECONDS * MICROSECONDS
