"""Plants ``seed.yaml`` into a fresh environment, through the same rules its APIs obey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from local_sectigo.scm import rules as scm

from .automation import workflows
from .control import identities
from .kernel.identity import Principal
from .kernel.world import World
from .settings import rules as settings
from .vault import rules as vault
from .vault.entries import Content

FILE = Path(__file__).with_name("seed.yaml")


def load() -> dict[str, Any]:
    seed: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return seed


def plant(world: World) -> None:
    """Fill an empty store; runs inside the caller's transaction."""
    seed = load()
    world.store.set_meta("account", seed["account"])
    world.store.set_meta("environment", seed["environment"])
    identities.add(
        world,
        {"users": seed["users"], "apiTokens": seed["api_tokens"], "oauthClients": seed["oauth_clients"]},
    )
    for client in seed["scm_clients"]:
        scm.add_client(world, client["id"], client["secret"])
    others(world, seed["others"])
    world.store.set_meta("seed", world.options.seed)
    world.store.set_meta("schema", world.store.schema)
    world.store.set_meta("seeded", True)


def others(world: World, others: dict[str, Any]) -> None:
    """What other teams have in the environment; every connector must leave it as it was."""
    for entry in others["credentials"]:
        content = Content(
            name=entry["name"], type=entry["type"], scopes=["APP_ENGINE"], secret={"token": entry["token"]}
        )
        vault.create(world, content, user(world, entry["owner"]).user)
    for entry in others["workflows"]:
        body = {"isPrivate": False, **{key: value for key, value in entry.items() if key != "owner"}}
        workflows.create(world, user(world, entry["owner"]), body)
    settings.plant(world, others["allowed_hosts"], user(world, others["workflows"][0]["owner"]))


def user(world: World, email: str) -> Principal:
    """A person at work in the Dynatrace web interface, with all that IAM grants."""
    user_id = identities.user_id(world, email)
    return Principal(user_id, "bearer", world.identity.permissions(user_id), "seed")
