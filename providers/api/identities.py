"""Which users a deployment involves, compared before the first write.

Whoever writes a vault entry becomes its owner: the deploy token's user when it deploys, the workflow's actor when it
runs. An entry with owner-only access can be read by its owner alone (facts: dynatrace-api 3, 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..rules import UUID
from .errors import DynatraceError

if TYPE_CHECKING:
    from .environment import Environment

MANAGE_SETTINGS = "environment:roles:manage-settings"
"""Without it, nobody may overwrite another user's entry."""


@dataclass(frozen=True)
class User:
    """A user by one or several of its names: ID (UUID) and e-mail address."""

    id: str = ""
    email: str = ""

    @classmethod
    def named(cls, name: str) -> User:
        """UNVERIFIED in which form an API token names its owner."""
        return cls(id=name) if UUID.fullmatch(name) else cls(email=name)

    @classmethod
    def of(cls, described: dict[str, Any]) -> User:
        """From ``GET /platform/metadata/v1/user`` (DC): ``{userId, userName, emailAddress}``."""
        return cls(str(described.get("userId") or ""), str(described.get("emailAddress") or ""))

    def __str__(self) -> str:
        return self.email or self.id

    def differs_from(self, other: User) -> bool:
        """Whether these are two users for certain. A user known by ID and one known by e-mail cannot be compared."""
        pairs = [(self.id, other.id), (self.email, other.email)]
        known = [one.casefold() == its.casefold() for one, its in pairs if one and its]
        return bool(known) and not any(known)


@dataclass(frozen=True)
class Identities:
    """Who deploys, and who the workflow runs as. A user that nobody tells is None."""

    deployer: User | None
    """Owner of ``dynatraceApiToken``, and so of the entries that it writes."""
    client: User | None
    """User of the OAuth client."""
    named_actor: User | None
    """``workflowActor``, if it is set."""
    owner_only: bool
    """``credentialsOwnerOnly``."""

    @property
    def actor(self) -> User | None:
        return self.named_actor or self.client

    @property
    def differ(self) -> bool:
        return bool(self.deployer and self.actor and self.deployer.differs_from(self.actor))

    @property
    def fix(self) -> str:
        """The one thing to change."""
        if self.named_actor and self.client and self.deployer and not self.client.differs_from(self.deployer):
            return f"set workflowActor to {self.client.id or self.client}, or remove it"
        if self.named_actor and self.client and self.client.differs_from(self.named_actor):
            return f"use a dynatraceApiToken and an OAuth client of {self.named_actor}: one service user for all three"
        return f"use a dynatraceApiToken of {self.actor}"

    @property
    def shown(self) -> str:
        how = "workflowActor" if self.named_actor else "user of the OAuth client"
        return f"dynatraceApiToken belongs to {self.deployer}, and the workflow runs as {self.actor} ({how})"

    @property
    def problem(self) -> str:
        """Why these users cannot work together; empty if they can, or if it is not known."""
        if not (self.differ and self.owner_only):
            return ""
        return (
            f"credentialsOwnerOnly: {self.shown}, which may not read entries of another owner. To change one thing: "
            f"{self.fix}; or set credentialsOwnerOnly to false"
        )

    @property
    def warning(self) -> str:
        """Why these users work together only with one more permission; empty otherwise."""
        if not self.differ or self.owner_only:
            return ""
        return (
            f"{self.shown}. Each writes the other's vault entries, which needs {MANAGE_SETTINGS}. To change one thing: "
            f"{self.fix}"
        )


def read(environment: Environment) -> Identities:
    """Who is involved, as far as the environment tells; asks for it the first time."""
    access = environment.access
    try:
        owner = str(environment.deploy_token.get("owner") or "")
    except DynatraceError:
        owner = ""
    client, actor = environment.client_user, User.named(access.workflow_actor) if access.workflow_actor else None
    if client and actor and not actor.differs_from(client):
        actor = client  # by all its names
    deployer = User.named(owner) if owner else None
    if client and deployer and owner.casefold() in (client.id.casefold(), client.email.casefold()):
        deployer = client  # by all its names, so that one user is shown under one name
    return Identities(deployer, client, actor, owner_only=access.owner_only == "true")
