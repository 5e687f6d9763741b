"""Steps 3 to 7: entries of the credential vault.

Three kinds, by who owns the value:

* managed (``UserCredential``, ``TokenCredential``): the value follows the stack config, rotation is ``pulumi up``;
* state (``StateCredential``): written once, then only the sync script writes it. Since a PUT replaces the whole entry,
  secret included, nothing about it can change later;
* config (``ConfigCredential``): customers edit it in the vault; written again only when its keys change here.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import DiffResult

from .allowlist import claim, unclaimed
from .api.environment import Environment
from .api.vault import Entry, entry_body
from .host import say, warn
from .lifecycle import DynatraceObject, ObjectProvider, Place, Props
from .ownership import Found, choose, mark_of, marked
from .recovery import entry_in_use

Text = pulumi.Input[str]
NOUN = "vault entry"


class CredentialProvider(ObjectProvider):
    """What the kinds share."""

    type: ClassVar[str] = "TOKEN"

    def secret(self, props: Props) -> dict[str, str]:
        """The secret fields of the entry, as the API calls them."""
        raise NotImplementedError

    def take(self, environment: Environment, entry: Entry, props: Props, differences: str) -> None:
        """An entry that exists is taken instead of created."""
        raise NotImplementedError

    def create_entry(self, environment: Environment, props: Props) -> str:
        def is_mine(entry: Entry) -> bool:
            same = entry.name == props["name"] and entry.type == self.type
            return same and mark_of(entry.description)[0] == props["stack"]

        return environment.vault.create(self.body(props), is_mine)

    def body(self, props: Props) -> dict[str, Any]:
        return entry_body(
            name=props["name"],
            type=self.type,
            description=description(props),
            owner_access_only=props["ownerAccessOnly"],
            secret=self.secret(props),
        )

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        entries = {entry.id: entry for entry in environment.vault.entries() if entry.type == self.type}
        candidates = [Found(entry.id, entry.name, entry.description) for entry in entries.values()]
        found = choose(NOUN, props["name"], props["stack"], props["adopt"], props["adoptKey"], candidates)
        entry = entries[found.id] if found else entry_in_use(environment, props, entries)
        if not entry:
            return self.create_entry(environment, props), {}
        if not found:
            say(f"{NOUN} “{entry.name}” ({entry.id}) is used by our workflow and taken for “{props['name']}”")
        self.take(environment, entry, props, "; ".join(differences(entry, props).values()))
        return entry.id, {}

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        environment.vault.replace(id, self.body(news))
        return {}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        entry = environment.vault.get(id)
        return None if entry is None else self.drift(entry, props)

    def drift(self, entry: Entry, props: Props) -> Props:
        """Live values of the inputs that differ."""
        raise NotImplementedError

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        environment.vault.delete(id)


def description(props: Props) -> str:
    return marked(props["purpose"], props["stack"], props.get("claims") or ())


def differences(entry: Entry, props: Props) -> dict[str, str]:
    """How an entry's metadata differs from what we would write, in words, by input."""
    found = {}
    if entry.name != props["name"]:
        found["name"] = f"name “{entry.name}” instead of “{props['name']}”"
    if entry.description != description(props):
        found["purpose"] = f"description “{entry.description}” instead of “{description(props)}”"
    if entry.owner_access_only != props["ownerAccessOnly"]:
        found["ownerAccessOnly"] = "owner access only" if entry.owner_access_only else "access not limited to its owner"
    if not entry.for_scripts:
        found["access"] = "closed to workflow scripts (AppEngine scope, access without app context)"
    return found


# --- the value follows the stack config ------------------------------------------------------------------------------


class ManagedCredentialProvider(CredentialProvider):
    secret_field: ClassVar[str]

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        environment.redact.add(props[self.secret_field])
        return super().make(environment, props)

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        environment.redact.add(news[self.secret_field])
        return super().change(environment, id, olds, news)

    def take(self, environment: Environment, entry: Entry, props: Props, differences: str) -> None:
        say(
            f"{NOUN} “{entry.name}” ({entry.id}) exists and is taken; its value is written from the stack config"
            + (f". It had: {differences}" if differences else "")
        )
        environment.vault.replace(entry.id, self.body(props))

    def drift(self, entry: Entry, props: Props) -> Props:
        live = {"name": entry.name, "purpose": entry.description, "ownerAccessOnly": entry.owner_access_only}
        return {key: live.get(key, text) for key, text in differences(entry, props).items()}


class UserCredentialProvider(ManagedCredentialProvider):
    """Claims the allowlist hosts before they are added, in the mark of its description."""

    type = "USERNAME_PASSWORD"
    secret_field = "password"
    compared = ("name", "user", "password", "ownerAccessOnly", "purpose", "access", "hosts")
    outputs = ("claims",)

    def secret(self, props: Props) -> dict[str, str]:
        return {"user": props["user"], "password": props["password"]}

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        claims = claim(environment, props["hosts"])
        id, _ = super().make(environment, {**props, "claims": claims})
        return id, {"claims": claims}

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        same = olds["hosts"] == news["hosts"]
        claims = olds["claims"] if same else claim(environment, news["hosts"])
        super().change(environment, id, olds, {**news, "claims": claims})
        return {"claims": claims}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        live = super().look(environment, id, props)
        if live is not None and (missing := unclaimed(environment, props["hosts"], props.get("claims") or [])):
            # Shown as the allowlist's own drift: what is added again must be claimed first.
            live["hosts"] = [host for host in props["hosts"] if host not in missing]
        return live


class TokenCredentialProvider(ManagedCredentialProvider):
    secret_field = "token"
    compared = ("name", "token", "ownerAccessOnly", "purpose", "access")

    def secret(self, props: Props) -> dict[str, str]:
        return {"token": props["token"]}


# --- the value belongs to the script, or to customers ----------------------------------------------------------------


class KeptCredentialProvider(CredentialProvider):
    """Holds what we cannot read back, so nothing but its value may ever be written."""

    fixed: ClassVar[dict[str, str]] = {
        "ownerAccessOnly": "The entry holds a live value that cannot be read back, and changing its access would "
        "overwrite it. Destroy the stack and deploy it again, or keep credentialsOwnerOnly as it was"
    }

    def take(self, environment: Environment, entry: Entry, props: Props, differences: str) -> None:
        say(
            f"{NOUN} “{entry.name}” ({entry.id}) exists already (preserving its value)"
            + (f". It stays as it is, with: {differences}" if differences else "")
        )
        if not entry.for_scripts:
            warn(
                f"{NOUN} “{entry.name}” ({entry.id}) is closed to workflow scripts: give it the AppEngine scope and "
                "access without app context on the page “Credential vault”, together with its present value"
            )

    def drift(self, entry: Entry, props: Props) -> Props:
        """Nothing that `up` could repair without overwriting the value; said, so that somebody can."""
        if different := differences(entry, props):
            warn(
                f"{NOUN} “{props['name']}” ({entry.id}) has: {'; '.join(different.values())}. It is left so, as "
                "writing it would overwrite its value"
            )
        return {}


class StateCredentialProvider(KeptCredentialProvider):
    """Created once; after that only the sync script writes it."""

    def secret(self, props: Props) -> dict[str, str]:
        return {"token": props["firstValue"]}

    def create_entry(self, environment: Environment, props: Props) -> str:
        # The workflow comes last: if it is there already, an entry of this name has been there, too.
        if props["missed"] and environment.automation.workflows_titled(props["workflow"]):
            warn(
                f"{NOUN} “{props['name']}” had been deleted outside Pulumi and is made again as "
                f"{props['firstValue']}. {props['missed']}"
            )
        return super().create_entry(environment, props)

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        return {}


class ConfigCredentialProvider(KeptCredentialProvider):
    """Written again only when the stack config's own keys change."""

    compared = ("value",)

    def secret(self, props: Props) -> dict[str, str]:
        return {"token": props["value"]}

    def take(self, environment: Environment, entry: Entry, props: Props, differences: str) -> None:
        super().take(environment, entry, props, differences)
        keys = ", ".join(json.loads(props["value"]))
        say(
            f"{NOUN} “{entry.name}” ({entry.id}) keeps its own settings: {keys} of the stack config are not applied. "
            "Edit them in the vault; a later change of one of these keys replaces the entry as a whole"
        )

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        result = super().diff(_id, _olds, _news)
        if result.changes:
            warn(
                f"“{_news['name']}” will be replaced as a whole by {_news['value']}: "
                "edits that were made in the vault are lost, as nobody can read them from here"
            )
        return result


# --- resources -------------------------------------------------------------------------------------------------------


class Credential(DynatraceObject):
    """A vault entry; ``id`` is its credential ID."""


class UserCredential(Credential, module="dynatrace", name="UserCredential"):
    """User name and password that follow the stack config.

    ``hosts``: what the allowlist will be asked for. Outputs: ``claims``, the same with a ``+`` before those that a
    connector adds or has added.
    """

    def __init__(
        self,
        resource: str,
        entry: EntryArgs,
        *,
        user: Text,
        password: Text,
        hosts: list[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**entry.props, "user": user, "password": password, "hosts": hosts}
        super().__init__(UserCredentialProvider(), resource, props, opts)


class TokenCredential(Credential, module="dynatrace", name="TokenCredential"):
    """A token that follows the stack config."""

    def __init__(
        self, resource: str, entry: EntryArgs, *, token: Text, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(TokenCredentialProvider(), resource, {**entry.props, "token": token}, opts)


class StateCredential(Credential, module="dynatrace", name="StateCredential"):
    """Run-time state that only the sync script writes after ``first_value``.

    ``workflow``: title of the workflow that uses it. ``missed``: what is lost when it was deleted and is made again.
    """

    def __init__(
        self,
        resource: str,
        entry: EntryArgs,
        *,
        first_value: str,
        workflow: str,
        missed: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**entry.props, "firstValue": first_value, "workflow": workflow, "missed": missed}
        super().__init__(StateCredentialProvider(), resource, props, opts)


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
