"""Plants ``seed.yaml`` and the seeds of the plug-ins into a fresh environment, through the same rules its APIs obey."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from . import plugins
from .automation import workflows
from .kernel.identity import Principal
from .kernel.world import World
from .settings import outbound
from .vault import rules as vault
from .vault.entries import Content

FILE = Path(__file__).with_name("seed.yaml")


def load(present: Iterable[plugins.Plugin] | None = None) -> dict[str, Any]:
    """The whole seed, with the sections of these plug-ins (default: every installed one)."""
    chosen = plugins.found() if present is None else present
    files = [FILE, *(plugin.seed.file for plugin in chosen if plugin.seed)]
    seed: dict[str, Any] = {}
    for file in files:
        seed |= yaml.safe_load(file.read_text(encoding="utf-8"))
    return seed


def plant(world: World) -> None:
    """Fill an empty store; runs inside the caller's transaction."""
    seed = load(world.plugins)
    world.store.set_meta("account", seed["account"])
    world.store.set_meta("environment", seed["environment"])
    identities(world, seed)
    for plugin in world.plugins:
        if plugin.seed:
            plugin.seed.plant(world, seed)
    others(world, seed["others"])
    world.store.set_meta("seed", world.options.seed)
    world.store.set_meta("schema", world.store.schema)
    world.store.set_meta("seeded", True)


def identities(world: World, seed: dict[str, Any]) -> None:
    for each in seed["users"]:
        world.identity.add_user(**each)
    for each in (*seed["api_tokens"], *seed["platform_tokens"]):
        world.identity.add_api_token(
            each["token"], name=each["name"], owner=user(world, each["owner"]).user, scopes=each["scopes"]
        )
    for each in seed["oauth_clients"]:
        world.identity.add_oauth_client(
            each["id"], each["secret"], subject=user(world, each["subject"]).user, scopes=each["scopes"],
            account=seed["account"],
        )  # fmt: skip


def others(world: World, others: dict[str, Any]) -> None:
    """What other teams have in the environment; every deployment must leave it as it was."""
    for entry in others["credentials"]:
        content = Content(
            name=entry["name"], type=entry["type"], scopes=["APP_ENGINE"], secret={"token": entry["token"]}
        )
        vault.create(world, content, user(world, entry["owner"]).user)
    for entry in others["workflows"]:
        body = {"isPrivate": False, **{key: value for key, value in entry.items() if key != "owner"}}
        workflows.create(world, user(world, entry["owner"]), body)
    outbound.plant(world, others["allowed_hosts"], user(world, others["workflows"][0]["owner"]))


def user(world: World, email: str) -> Principal:
    """A person at work in the Dynatrace web interface, with all that IAM grants."""
    row = world.store.one("SELECT id FROM users WHERE email = ?", email)
    assert row is not None, f"seed.yaml names no user {email}"
    return Principal(row["id"], "bearer", world.identity.permissions(row["id"]), "seed")
