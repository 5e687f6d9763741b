"""API clients of SCM ("Audit API Keys") and the access tokens issued to them."""

from __future__ import annotations

import hmac

from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.kernel.identity import digest
from local_dynatrace.kernel.world import World

from .. import options

SCHEMA = """
CREATE TABLE IF NOT EXISTS scm_clients (id TEXT PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS scm_tokens (
    digest TEXT PRIMARY KEY, client TEXT NOT NULL REFERENCES scm_clients(id) ON DELETE CASCADE,
    expires_us INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS scm_tokens_by_expiry ON scm_tokens (expires_us);
"""


def add_client(world: World, id: str, secret: str) -> None:
    """Add a client, or give an existing one a new secret; its running tokens stay valid, as Keycloak's do."""
    world.store.run("INSERT OR REPLACE INTO scm_clients VALUES (?, ?)", id, digest(secret))


def knows(world: World, id: str, secret: str) -> bool:
    row = world.store.one("SELECT digest FROM scm_clients WHERE id = ?", id)
    return row is not None and hmac.compare_digest(row["digest"], digest(secret))


def issue_token(world: World, client: str) -> tuple[str, int]:
    """A new access token and its lifetime in seconds."""
    lifetime_s = options.of(world).scm_token_lifetime_s
    now = world.clock.now_us()
    token = world.ids.hex(64).lower()
    world.store.run("DELETE FROM scm_tokens WHERE expires_us <= ?", now)
    world.store.run("INSERT INTO scm_tokens VALUES (?, ?, ?)", digest(token), client, now + lifetime_s * MICROSECONDS)
    return token, lifetime_s


def client_of(world: World, token: str) -> str | None:
    """The client a valid access token belongs to; None for an unknown or expired one."""
    row = world.store.one("SELECT client, expires_us FROM scm_tokens WHERE digest = ?", digest(token))
    return str(row["client"]) if row and row["expires_us"] > world.clock.now_us() else None
