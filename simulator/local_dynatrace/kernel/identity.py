"""Users, API tokens, platform tokens, OAuth clients, bearer tokens: who calls, and with which scopes.

Only SHA-256 digests of tokens are stored, without salt: tokens are 64 random characters, so a digest reveals nothing.
Shapes: dt0c01.<24>.<64> for API tokens, dt0s16.<24>.<64> for platform tokens (both in ``api_tokens``), dt0s02.<8> and
dt0s02.<8>.<64> for OAuth clients (facts: dynatrace-api 2.1).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Literal

from .clock import MICROSECONDS, Clock, iso
from .store import Row, Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'service')), permissions TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS api_tokens (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL REFERENCES users(id),
    scopes TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1, created_us INTEGER NOT NULL,
    expires_us INTEGER, last_used_us INTEGER);
CREATE TABLE IF NOT EXISTS oauth_clients (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL, subject TEXT NOT NULL REFERENCES users(id),
    scopes TEXT NOT NULL, account TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS bearer_tokens (
    digest TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users(id), scopes TEXT NOT NULL,
    client TEXT NOT NULL, expires_us INTEGER NOT NULL);
"""


IMPLIED = {
    "environment:roles:manage-settings": {"settings:objects:read", "settings:objects:write", "settings:schemas:read"},
}
"""Permissions that a role includes (facts: dynatrace-api 2.3; the SDK's "one of the following permissions")."""


PLATFORM = "dt0s16."
"""A platform token is a bearer token that lives as long as its owner wants (facts: dynatrace-api 12)."""


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Principal:
    """Who makes a call. ``scopes`` are API-token scopes or OAuth scopes, by ``kind``."""

    user: str
    kind: Literal["api-token", "bearer"]
    scopes: frozenset[str]
    """What the call may do: a bearer token's scopes, within its user's permissions (facts: dynatrace-api 2.2)."""
    token_id: str
    """Public part of the API token, the OAuth client's id, or ``workflow:<execution id>``; safe to show."""
    granted: frozenset[str] = frozenset()
    """All scopes of a bearer token, so that a refusal can tell a missing permission from a missing scope."""

    @property
    def shown(self) -> str:
        return f"{self.kind} {self.token_id}"


class Identity:
    """Look-ups and administration of identities."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        store.create(SCHEMA)

    # administration (seed and control API)

    def add_user(self, *, id: str, email: str, name: str, kind: str, permissions: list[str]) -> None:
        self.store.run(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?)", id, email, name, kind, json.dumps(permissions)
        )

    def add_api_token(
        self, token: str, *, name: str, owner: str, scopes: list[str], expires_us: int | None = None
    ) -> str:
        """Store an API token or a platform token by digest; returns its public id (prefix and public part)."""
        public = ".".join(token.split(".")[:2])
        self.store.run(
            "INSERT OR REPLACE INTO api_tokens VALUES (?, ?, ?, ?, ?, 1, ?, ?, NULL)",
            public, digest(token), name, owner, json.dumps(scopes), self.clock.now_us(), expires_us,
        )  # fmt: skip
        return public

    def add_oauth_client(self, id: str, secret: str, *, subject: str, scopes: list[str], account: str) -> None:
        self.store.run(
            "INSERT OR REPLACE INTO oauth_clients VALUES (?, ?, ?, ?, ?, 1)",
            id, digest(secret), subject, json.dumps(scopes), account,
        )  # fmt: skip

    # use

    def user(self, id: str) -> Row | None:
        return self.store.one("SELECT * FROM users WHERE id = ?", id)

    def permissions(self, user: str) -> frozenset[str]:
        """IAM permissions of a user, as OAuth scope names: what a workflow that acts for it may do."""
        row = self.user(user)
        own = set(json.loads(row["permissions"])) if row else set()
        return frozenset(own.union(*(IMPLIED[role] for role in own & IMPLIED.keys())))

    def api_token(self, token: str) -> Row | None:
        """The stored row of a presented API token, expired and disabled ones included; None if unknown."""
        row = self.store.one("SELECT * FROM api_tokens WHERE id = ?", ".".join(token.split(".")[:2]))
        return row if row and hmac.compare_digest(row["digest"], digest(token)) else None

    def by_api_token(self, token: str) -> Principal | None:
        row = None if token.startswith(PLATFORM) else self._usable(token)
        if row is None:
            return None
        return Principal(row["owner"], "api-token", frozenset(json.loads(row["scopes"])), row["id"])

    def _usable(self, token: str) -> Row | None:
        """The row of a token that is enabled and has not expired."""
        row = self.api_token(token)
        if not row or not row["enabled"] or self.has_expired(row):
            return None
        self.store.run("UPDATE api_tokens SET last_used_us = ? WHERE id = ?", self.clock.now_us(), row["id"])
        return row

    def has_expired(self, row: Row) -> bool:
        return row["expires_us"] is not None and row["expires_us"] <= self.clock.now_us()

    def oauth_client(self, id: str, secret: str) -> Row | None:
        row = self.store.one("SELECT * FROM oauth_clients WHERE id = ? AND enabled = 1", id)
        return row if row and hmac.compare_digest(row["digest"], digest(secret)) else None

    def issue_bearer(self, token: str, *, user: str, scopes: list[str], client: str, lifetime_s: int) -> None:
        expires = self.clock.now_us() + lifetime_s * MICROSECONDS
        self.store.run("DELETE FROM bearer_tokens WHERE expires_us < ?", self.clock.now_us())
        self.store.run(
            "INSERT OR REPLACE INTO bearer_tokens VALUES (?, ?, ?, ?, ?)",
            digest(token), user, json.dumps(scopes), client, expires,
        )  # fmt: skip

    def by_bearer(self, token: str) -> Principal | None:
        if token.startswith(PLATFORM):
            if row := self._usable(token):
                return self._bearer(row["owner"], row["scopes"], row["id"])
            return None
        row = self.store.one("SELECT * FROM bearer_tokens WHERE digest = ?", digest(token))
        if not row or row["expires_us"] <= self.clock.now_us():
            return None
        return self._bearer(row["user"], row["scopes"], row["client"])

    def _bearer(self, user: str, scopes: str, token_id: str) -> Principal:
        granted = frozenset(json.loads(scopes))
        return Principal(user, "bearer", granted & self.permissions(user), token_id, granted)

    def describe_api_token(self, row: Row) -> dict[str, Any]:
        """The wire form of ``POST /api/v2/apiTokens/lookup`` (facts: dynatrace-api 2.4, LK)."""
        body: dict[str, Any] = {
            "id": row["id"],
            "name": row["name"],
            "enabled": bool(row["enabled"]),
            "personalAccessToken": False,
            "owner": row["owner"],
            "creationDate": iso(row["created_us"]),
            "scopes": json.loads(row["scopes"]),
        }
        if row["last_used_us"] is not None:
            body["lastUsedDate"] = iso(row["last_used_us"])
        if row["expires_us"] is not None:
            body["expirationDate"] = iso(row["expires_us"])
        return body
