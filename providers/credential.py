"""Steps 3 to 7: entries of the credential vault.

Three kinds, by who owns the value:

* managed (``UserCredential``, ``TokenCredential``): the value follows the stack config, rotation is ``pulumi up``;
* state (``StateCredential``): written once, then only the sync script writes it. Since a PUT replaces the whole entry,
  secret included, nothing about it can change later;
* config (``ConfigCredential``): customers edit it in the vault; written again only when its keys change here.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, TypeVar, cast

import pulumi
from pulumi.dynamic import DiffResult

from .api import scm_login
from .api.environment import Environment
from .api.errors import Refused, ScmRefused, TransportError
from .api.scopes import SETTINGS_READ, VAULT_READ, VAULT_WRITE, WORKFLOWS_READ, Need
from .api.vault import Entry, entry_body
from .claims import claims_for, mark_of, marked, stack_of, unclaimed
from .configuration import EntryProperties
from .host import say, warn
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs, resolved, secret
from .ownership import Found, choose, is_ours, require_ours
from .parts import SCM
from .recovery import entry_in_use

Text = pulumi.Input[str]
NOUN = "vault entry"
TWIN_GOES_AFTER_S = 3.0


class UserProperties(EntryProperties):
    user: str
    password: str
    tokenUrl: str
    """Where SCM gives tokens to this client: it is tried there before it is written."""
    hosts: list[str]
    """What the allowlist will be asked for."""
    written: str
    """Output: when the entry was last written by Pulumi, in ISO 8601; empty if it is not known."""
    claims: list[str]
    """Output: the same, with a ``+`` before those that a connector adds or has added."""


class TokenProperties(EntryProperties):
    token: str
    written: str
    """Output: as in ``UserProperties``."""


class StateProperties(EntryProperties):
    firstValue: str
    workflow: str
    """Title of the workflow that uses it."""
    missed: str
    """What is lost when it was deleted and is created again."""


class ConfigProperties(EntryProperties):
    value: str


E = TypeVar("E", bound=EntryProperties)


class CredentialProvider(ObjectProvider[E]):
    """What the kinds share."""

    needs: ClassVar[tuple[Need, ...]] = (VAULT_READ, VAULT_WRITE, WORKFLOWS_READ)

    type: ClassVar[str] = "TOKEN"

    def secret(self, props: E) -> dict[str, str]:
        """The secret fields of the entry, as the API calls them."""
        raise NotImplementedError

    def adopt(self, environment: Environment, entry: Entry, props: E, differences: str) -> None:
        """Use an entry that exists instead of creating one. ``differences``: how it differs, in words."""
        raise NotImplementedError

    def create_entry(self, environment: Environment, props: E) -> str:
        def is_mine(entry: Entry) -> bool:
            return self.is_named_alike(entry, props) and is_ours(entry.description, props["stack"])

        return environment.vault.create(self.body(props), is_mine)

    def is_named_alike(self, entry: Entry, props: E) -> bool:
        return entry.name == props["name"] and entry.type == self.type

    def body(self, props: E) -> dict[str, Any]:
        return entry_body(
            name=props["name"],
            type=self.type,
            description=description(props),
            owner_access_only=props["ownerAccessOnly"],
            secret=self.secret(props),
        )

    def create_object(self, environment: Environment, props: E) -> tuple[str, Outputs]:
        entry = self.existing(environment, props)
        if not entry:
            return self.create_entry(environment, props), {}
        self.adopt(environment, entry, props, "; ".join(differences(entry, props).values()))
        return entry.id, {}

    def existing(self, environment: Environment, props: E) -> Entry | None:
        """The entry to use instead of creating one: by the ID in our workflow's script, by its mark, by ``adopt``."""
        entries = {entry.id: entry for entry in environment.vault.entries() if entry.type == self.type}
        if not props["adopt"] and (entry := entry_in_use(environment, props, entries)):
            if entry.name != props["name"]:
                say(f"{NOUN} “{entry.name}” ({entry.id}) is used by our workflow; adopted as “{props['name']}”")
            return entry
        candidates = [Found(entry.id, entry.name, entry.description) for entry in entries.values()]
        former = str(props.get("formerStack", ""))
        found = choose(NOUN, props["name"], props["stack"], props["adopt"], props["adoptKey"], candidates, former)
        return entries[found.id] if found else None

    def update_object(self, environment: Environment, id: str, olds: E, news: E) -> Outputs:
        environment.vault.replace(id, self.body(news))
        return {}

    def read_object(self, environment: Environment, id: str, props: E) -> Differences | None:
        entry = environment.vault.get(id)
        return None if entry is None else self.drift(entry, props)

    def drift(self, entry: Entry, props: E) -> Differences:
        """Live values of the inputs that differ."""
        raise NotImplementedError

    def delete_object(self, environment: Environment, id: str, props: E) -> None:
        environment.vault.delete(id)


def description(props: EntryProperties) -> str:
    """The entry's description; that of the SCM credential lists its claims."""
    claims = cast(list[str], props.get("claims") or [])
    return marked(props["purpose"], props["stack"], claims)


def differences(entry: Entry, props: EntryProperties) -> dict[str, str]:
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


def written(environment: Environment, id: str) -> str:
    at = environment.vault.written.get(id)
    return at.isoformat() if at else ""


# --- the value follows the stack config ------------------------------------------------------------------------------


class ManagedCredentialProvider(CredentialProvider[E]):
    """Written whenever the stack config says something else."""

    outputs: ClassVar[tuple[str, ...]] = ("written",)

    def create_object(self, environment: Environment, props: E) -> tuple[str, Outputs]:
        self.keep_secret(environment, props)
        self.try_secret(environment, props)
        id, outputs = super().create_object(environment, props)
        return id, {**outputs, "written": written(environment, id)}

    def update_object(self, environment: Environment, id: str, olds: E, news: E) -> Outputs:
        self.keep_secret(environment, news)
        self.require_own(environment, id, news, str(olds.get("stack", news["stack"])), news["stack"])
        changed = any(olds.get(name) != value for name, value in self.secret(news).items())
        if changed:
            self.try_secret(environment, news)
        outputs = super().update_object(environment, id, olds, news)
        # A change of other fields needs no run: what scripts read is the same.
        return {**outputs, "written": written(environment, id)} if changed else outputs

    def delete_object(self, environment: Environment, id: str, props: E) -> None:
        self.require_own(environment, id, props, props["stack"])
        super().delete_object(environment, id, props)

    def require_own(self, environment: Environment, id: str, props: E, *owners: str) -> None:
        if entry := environment.vault.get(id):
            require_ours(NOUN, props["name"], id, entry.description, *owners)

    def keep_secret(self, environment: Environment, props: E) -> None:
        """Before anything is sent: an error's text may repeat what was sent."""
        raise NotImplementedError

    def try_secret(self, environment: Environment, props: E) -> None:
        """Use the value once before it is written. Raises Refused if it does not work."""

    def adopt(self, environment: Environment, entry: Entry, props: E, differences: str) -> None:
        say(
            f"{NOUN} “{entry.name}” ({entry.id}): adopted; its value is written from the stack config"
            + (f". It had: {differences}" if differences else "")
        )
        environment.vault.replace(entry.id, self.body(props))

    def drift(self, entry: Entry, props: E) -> Differences:
        live: dict[str, object] = {
            "name": entry.name,
            "purpose": entry.description,
            "ownerAccessOnly": entry.owner_access_only,
        }
        return {key: live.get(key, text) for key, text in differences(entry, props).items()}


class UserCredentialProvider(ManagedCredentialProvider[UserProperties]):
    """Claims the allowlist hosts before they are added, in the mark of its description."""

    type = "USERNAME_PASSWORD"
    compared = ("name", "user", "password", "ownerAccessOnly", "purpose", "access", "hosts")
    outputs = (*ManagedCredentialProvider.outputs, "claims")
    needs = (*CredentialProvider.needs, SETTINGS_READ)

    def secret(self, props: UserProperties) -> dict[str, str]:
        return {"user": props["user"], "password": props["password"]}

    def keep_secret(self, environment: Environment, props: UserProperties) -> None:
        environment.redact.add(props["password"])

    def try_secret(self, environment: Environment, props: UserProperties) -> None:
        try:
            scm_login.token(environment.scm_http, props["tokenUrl"], props["user"], props["password"])
        except ScmRefused as error:
            raise ScmRefused(f"“{props['name']}” was not written: {error}") from None
        except TransportError as error:
            # Often only Dynatrace can reach SCM, not the machine that deploys: the run after this write decides.
            warn(f"the SCM client could not be tried before it is stored: {error}")

    def create_object(self, environment: Environment, props: UserProperties) -> tuple[str, Outputs]:
        claims = claims_for(environment, props["hosts"])
        id, outputs = super().create_object(environment, {**props, "claims": claims})
        return id, {**outputs, "claims": claims}

    def create_entry(self, environment: Environment, props: UserProperties) -> str:
        id = super().create_entry(environment, props)
        self.look_for_twin(environment, id, props)
        return id

    def look_for_twin(self, environment: Environment, id: str, props: UserProperties) -> None:
        """Raise Refused if another backend has deployed at the same moment; then this entry is removed again.

        It is the first object of a connector, and the others come after it, so nobody goes on with two of them. Both
        may see each other: the lower ID stays, if its owner sees the other one go. A deployment that looked before this
        entry existed never goes, so this one does.
        """
        twins = self.twins(environment, id, props)
        if twins and id < min(twins):
            environment.sleep(TWIN_GOES_AFTER_S)
            twins = self.twins(environment, id, props)
        if twins:
            environment.vault.delete(id)
            raise Refused(
                f"{NOUN} “{props['name']}”: another deployment created {', '.join(twins)} at the same moment as this "
                f"one created {id}, which is removed again. Run pulumi up again to see whose the other one is"
            )

    def twins(self, environment: Environment, id: str, props: UserProperties) -> list[str]:
        environment.vault.forget_listing()
        return [
            entry.id for entry in environment.vault.entries() if entry.id != id and self.is_named_alike(entry, props)
        ]

    def update_object(self, environment: Environment, id: str, olds: UserProperties, news: UserProperties) -> Outputs:
        same = olds["hosts"] == news["hosts"]
        claims = olds["claims"] if same else claims_for(environment, news["hosts"])
        outputs = super().update_object(environment, id, olds, {**news, "claims": claims})
        return {**outputs, "claims": claims}

    def read_object(self, environment: Environment, id: str, props: UserProperties) -> Differences | None:
        live = super().read_object(environment, id, props)
        if live is not None and (missing := unclaimed(environment, props["hosts"], props.get("claims") or [])):
            # Shown like the allowlist's own drift: what is added again must be claimed first.
            live["hosts"] = [host for host in props["hosts"] if host not in missing]
        return live


class TokenCredentialProvider(ManagedCredentialProvider[TokenProperties]):
    """The log ingest token."""

    compared = ("name", "token", "ownerAccessOnly", "purpose", "access")

    def secret(self, props: TokenProperties) -> dict[str, str]:
        return {"token": props["token"]}

    def keep_secret(self, environment: Environment, props: TokenProperties) -> None:
        environment.redact.add(props["token"])


# --- the value belongs to the script, or to customers ----------------------------------------------------------------


class KeptCredentialProvider(CredentialProvider[E]):
    """Holds a value that we cannot read back, so its metadata is never written after its creation.

    Its mark is therefore the one it was created with, also after the stack was renamed. Its ID in the state, and in the
    script of our workflow, says that it is ours.
    """

    fixed: ClassVar[dict[str, str]] = {
        "ownerAccessOnly": "The entry holds a live value that cannot be read back, and changing its access would "
        "overwrite it. Destroy the stack and deploy it again, or keep credentialsOwnerOnly as it was"
    }

    def adopt(self, environment: Environment, entry: Entry, props: E, differences: str) -> None:
        say(
            f"{NOUN} “{entry.name}” ({entry.id}) exists already (preserving its value)"
            + (f". Left unchanged, with: {differences}" if differences else "")
        )
        if not entry.for_scripts:
            warn(
                f"{NOUN} “{entry.name}” ({entry.id}) is closed to workflow scripts: give it the AppEngine scope and "
                "access without app context on the page “Credential vault”, together with its current value"
            )

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        result = super().diff(_id, _olds, _news)
        if result.changes and all(_olds.get(key) == _news.get(key) for key in self.compared):
            say(
                f"“{_news['name']}” ({_id}) keeps its mark, as writing it would overwrite its value: only the state is "
                "updated"
            )
        return result

    def drift(self, entry: Entry, props: E) -> Differences:
        """`up` could repair nothing without overwriting the value; reported, so that somebody else can."""
        # Whatever owner the mark names, it is the one that it was created with.
        props = cast(E, {**props, "stack": mark_of(entry.description).stack or props["stack"]})
        if different := differences(entry, props):
            warn(
                f"{NOUN} “{props['name']}” ({entry.id}) has: {'; '.join(different.values())}. Left unchanged, as "
                "writing it would overwrite its value"
            )
        return {}


class StateCredentialProvider(KeptCredentialProvider[StateProperties]):
    """Created once; after that only the sync script writes it."""

    def secret(self, props: StateProperties) -> dict[str, str]:
        return {"token": props["firstValue"]}

    def existing(self, environment: Environment, props: StateProperties) -> Entry | None:
        """Also what an earlier installation of this stack kept when it was destroyed (``keepCheckpoint``)."""
        of_stack = stack_of(props["stack"])
        named = [entry for entry in environment.vault.entries() if self.is_named_alike(entry, props)]
        kept = [entry for entry in named if stack_of(mark_of(entry.description).stack) == of_stack]
        # Nobody else uses it: an installation has the SCM credential, which was created first, and a workflow.
        if len(kept) == 1 and not props["adopt"] and not environment.automation.workflows_titled(props["workflow"]):
            return kept[0]
        return super().existing(environment, props)

    def create_entry(self, environment: Environment, props: StateProperties) -> str:
        # The workflow comes last: if it is there already, an entry of this name existed, too.
        if props["missed"] and environment.automation.workflows_titled(props["workflow"]):
            warn(
                f"{NOUN} “{props['name']}” had been deleted outside Pulumi and is created again as "
                f"{props['firstValue']}. {props['missed']}"
            )
        return super().create_entry(environment, props)

    def update_object(self, environment: Environment, id: str, olds: StateProperties, news: StateProperties) -> Outputs:
        return {}


class ConfigCredentialProvider(KeptCredentialProvider[ConfigProperties]):
    """Written again only when the stack config's own keys change."""

    compared = ("value",)

    def secret(self, props: ConfigProperties) -> dict[str, str]:
        return {"token": props["value"]}

    def update_object(
        self, environment: Environment, id: str, olds: ConfigProperties, news: ConfigProperties
    ) -> Outputs:
        if olds.get("value") == news["value"]:
            return {}
        # Its own mark is the one that it was created with. That of the connector's first entry says whose it is now.
        for entry in environment.vault.entries():
            if entry.name == f"{news['connector']} {SCM.name}":
                require_ours(NOUN, entry.name, entry.id, entry.description, str(olds.get("stack", "")), news["stack"])
        return super().update_object(environment, id, olds, news)

    def adopt(self, environment: Environment, entry: Entry, props: ConfigProperties, differences: str) -> None:
        super().adopt(environment, entry, props, differences)
        keys = ", ".join(json.loads(props["value"]))
        say(
            f"{NOUN} “{entry.name}” ({entry.id}) keeps its own settings: {keys} of the stack config are not applied. "
            "Edit them in the vault; a later change of one of these keys replaces the whole entry"
        )

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        result = super().diff(_id, _olds, _news)
        if _olds.get("value") != _news.get("value"):
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

    ``token_url``: where SCM gives tokens to this client. ``hosts``: what the allowlist will be asked for.

    Outputs: ``claims``, the hosts with a ``+`` before those that a connector adds or has added; ``written``, when
    Pulumi last wrote it.
    """

    claims: pulumi.Output[list[str]]
    written: pulumi.Output[str | None]

    def __init__(
        self,
        resource: str,
        entry: EntryProperties,
        *,
        user: Text,
        password: Text,
        token_url: str,
        hosts: list[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **entry, "user": resolved(user), "password": secret(password), "tokenUrl": token_url, "hosts": hosts,
        }  # fmt: skip
        super().__init__(UserCredentialProvider(), resource, props, opts)


class TokenCredential(Credential, module="dynatrace", name="TokenCredential"):
    """A token that follows the stack config. Output: ``written``, when Pulumi last wrote it."""

    written: pulumi.Output[str | None]

    def __init__(
        self, resource: str, entry: EntryProperties, *, token: Text, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {**entry, "token": secret(token)}
        super().__init__(TokenCredentialProvider(), resource, props, opts)


class StateCredential(Credential, module="dynatrace", name="StateCredential"):
    """Run-time state that only the sync script writes after ``first_value``.

    ``workflow``: title of the workflow that uses it. ``missed``: what is lost when it was deleted and is created again.
    """

    def __init__(
        self,
        resource: str,
        entry: EntryProperties,
        *,
        first_value: str,
        workflow: str,
        missed: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: StateProperties = {**entry, "firstValue": first_value, "workflow": workflow, "missed": missed}
        super().__init__(StateCredentialProvider(), resource, props, opts)


class ConfigCredential(Credential, module="dynatrace", name="ConfigCredential"):
    """Runtime configuration (JSON text) that customers edit in the vault."""

    def __init__(
        self, resource: str, entry: EntryProperties, *, value: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props: ConfigProperties = {**entry, "value": value}
        super().__init__(ConfigCredentialProvider(), resource, props, opts)
