"""Steps 3 to 7: entries of the credential vault.

Three kinds, by who owns the value:

* managed (``UserCredential``, ``TokenCredential``): the value follows the stack config, rotation is ``pulumi up``;
* state (``StateCredential``): written once, then only the sync script writes it. Since a PUT replaces the whole entry,
  secret included, nothing about it can change later;
* config (``ConfigCredential``): customers edit it in the vault; written again only when its keys change here.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import DiffResult

from .api.environment import Environment
from .api.vault import Entry, entry_body
from .lifecycle import DynatraceObject, Found, ObjectProvider, Place, Props, choose, mark_of, marked, say, warn

Text = pulumi.Input[str]
NOUN = "vault entry"


class CredentialProvider(ObjectProvider):
    """What the kinds share."""

    type: ClassVar[str] = "TOKEN"

    def secret(self, props: Props) -> dict[str, str]:
        """The secret fields of the entry, as the API calls them."""
        raise NotImplementedError

    def taken(self, environment: Environment, entry: Entry, props: Props) -> None:
        """An entry that exists is taken instead of created."""
        raise NotImplementedError

    def body(self, props: Props) -> dict[str, Any]:
        return entry_body(
            name=props["name"],
            type=self.type,
            description=marked(props["purpose"], props["stack"], props.get("claims") or ()),
            owner_access_only=props["ownerAccessOnly"],
            secret=self.secret(props),
        )

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        vault = environment.vault
        entries = {entry.id: entry for entry in vault.entries() if entry.type == self.type}
        candidates = [Found(entry.id, entry.name, entry.description) for entry in entries.values()]
        found = choose(NOUN, props["name"], props["stack"], props["adopt"], props["adoptKey"], candidates)
        if found:
            self.taken(environment, entries[found.id], props)
            return found.id, {}

        def is_mine(entry: Entry) -> bool:
            same = entry.name == props["name"] and entry.type == self.type
            return same and mark_of(entry.description)[0] == props["stack"]

        return vault.create(self.body(props), is_mine), {}

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        environment.vault.replace(id, self.body(news))
        return {}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        entry = environment.vault.get(id)
        if entry is None:
            return None
        return {"name": entry.name, "ownerAccessOnly": entry.owner_access_only}

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        environment.vault.delete(id)


class ManagedCredentialProvider(CredentialProvider):
    """The value follows the stack config."""

    def taken(self, environment: Environment, entry: Entry, props: Props) -> None:
        say(f"{NOUN} “{entry.name}” ({entry.id}) exists and is taken again; its value is written from the stack config")
        environment.vault.replace(entry.id, self.body(props))


class UserCredentialProvider(ManagedCredentialProvider):
    type = "USERNAME_PASSWORD"
    compared = ("user", "password", "ownerAccessOnly", "purpose", "claims")

    def secret(self, props: Props) -> dict[str, str]:
        return {"user": props["user"], "password": props["password"]}


class TokenCredentialProvider(ManagedCredentialProvider):
    compared = ("token", "ownerAccessOnly", "purpose")

    def secret(self, props: Props) -> dict[str, str]:
        return {"token": props["token"]}


class StateCredentialProvider(CredentialProvider):
    """Created once; after that only the sync script writes it."""

    fixed: ClassVar[dict[str, str]] = {
        "ownerAccessOnly": "The entry holds run-time state that cannot be read back, and changing its access would "
        "overwrite it. Destroy the stack and deploy it again, or keep credentialsOwnerOnly as it was"
    }

    def secret(self, props: Props) -> dict[str, str]:
        return {"token": props["firstValue"]}

    def taken(self, environment: Environment, entry: Entry, props: Props) -> None:
        say(f"{NOUN} “{entry.name}” ({entry.id}) exists already (preserving state)")

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        return {}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        return {} if environment.vault.get(id) else None


class ConfigCredentialProvider(CredentialProvider):
    """Written again only when the stack config's own keys change."""

    compared = ("value",)
    fixed = StateCredentialProvider.fixed

    def secret(self, props: Props) -> dict[str, str]:
        return {"token": props["value"]}

    def taken(self, environment: Environment, entry: Entry, props: Props) -> None:
        say(f"{NOUN} “{entry.name}” ({entry.id}) exists already (keeping its value)")

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        result = super().diff(_id, _olds, _news)
        if result.changes:
            warn(
                f"“{_news['name']}” will be replaced as a whole by {_news['value']}: "
                "edits that were made in the vault are lost, as nobody can read them from here"
            )
        return result

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        return {} if environment.vault.get(id) else None


class Credential(DynatraceObject):
    """A vault entry; ``id`` is its credential ID."""


class UserCredential(Credential, module="dynatrace", name="UserCredential"):
    """User name and password that follow the stack config. ``claims``: allowlist hosts this stack has added."""

    def __init__(
        self,
        resource: str,
        entry: EntryArgs,
        *,
        user: Text,
        password: Text,
        claims: pulumi.Input[list[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**entry.props, "user": user, "password": password, "claims": [] if claims is None else claims}
        super().__init__(UserCredentialProvider(), resource, props, opts)


class TokenCredential(Credential, module="dynatrace", name="TokenCredential"):
    """A token that follows the stack config."""

    def __init__(
        self, resource: str, entry: EntryArgs, *, token: Text, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(TokenCredentialProvider(), resource, {**entry.props, "token": token}, opts)


class StateCredential(Credential, module="dynatrace", name="StateCredential"):
    """Run-time state that only the sync script writes after ``first_value``."""

    def __init__(
        self, resource: str, entry: EntryArgs, *, first_value: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(StateCredentialProvider(), resource, {**entry.props, "firstValue": first_value}, opts)


class ConfigCredential(Credential, module="dynatrace", name="ConfigCredential"):
    """Runtime configuration (JSON text) that customers edit in the vault."""

    def __init__(
        self, resource: str, entry: EntryArgs, *, value: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(ConfigCredentialProvider(), resource, {**entry.props, "value": value}, opts)


class EntryArgs:
    """Name, purpose and access of an entry, and the id to take over if one is named under ``adopt``."""

    def __init__(self, place: Place, name: str, purpose: str, *, owner_only: bool, adopt_key: str, adopt: str) -> None:
        self.props = {
            **place.props,
            "name": name,
            "purpose": purpose,
            "ownerAccessOnly": owner_only,
            "adoptKey": adopt_key,
            "adopt": adopt,
        }
