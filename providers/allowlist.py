"""Step 2: the outbound allowlist, which all teams of an environment share. ``claims`` keeps the books."""

from __future__ import annotations

import pulumi

from .api.environment import Environment
from .api.scopes import SETTINGS_READ, SETTINGS_WRITE, VAULT_READ
from .claims import LIST_OBJECT, ClaimProperties, add_hosts, claimed_by, remove_hosts
from .configuration import Properties
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs, resolved


class AllowlistProperties(ClaimProperties):
    hosts: list[str]
    claimed: list[str]
    """Output: the hosts that connectors have added and this one needs."""


class OutboundAllowlistProvider(ObjectProvider[AllowlistProperties]):
    compared = ("hosts",)
    outputs = ("claimed",)
    needs = (SETTINGS_READ, SETTINGS_WRITE, VAULT_READ)

    def create_object(self, environment: Environment, props: AllowlistProperties) -> tuple[str, Outputs]:
        claimed = claimed_by(environment, props) & {*props["hosts"], LIST_OBJECT}
        id, added = add_hosts(environment, props["hosts"])
        return id, {"claimed": sorted(claimed | added)}

    def update_object(
        self, environment: Environment, id: str, olds: AllowlistProperties, news: AllowlistProperties
    ) -> Outputs:
        wanted = {*news["hosts"], LIST_OBJECT}
        if unwanted := set(olds["claimed"]) - wanted:
            environment.vault.forget_listing()
            remove_hosts(environment, unwanted, news)
        _, added = add_hosts(environment, news["hosts"])
        claimed = {*olds["claimed"], *claimed_by(environment, news), *added}
        return {"claimed": sorted(claimed & wanted)}

    def read_object(self, environment: Environment, id: str, props: AllowlistProperties) -> Differences | None:
        listed = environment.allowlist.read()
        if not listed.enforced:
            return {}
        return {"hosts": [host for host in props["hosts"] if host in listed.hosts]}

    def delete_object(self, environment: Environment, id: str, props: AllowlistProperties) -> None:
        environment.vault.forget_listing()
        remove_hosts(environment, {*props["claimed"], *claimed_by(environment, props)}, props)


class OutboundAllowlist(DynatraceObject, module="dynatrace", name="OutboundAllowlist"):
    """Hosts that scripts of this environment may reach.

    ``entry``: ID of the vault entry whose mark claims them. Outputs: ``claimed``, the hosts that this stack is
    responsible for, as they were not listed before.
    """

    hosts: pulumi.Output[list[str]]
    claimed: pulumi.Output[list[str]]

    def __init__(
        self,
        resource: str,
        place: Properties,
        *,
        hosts: list[str],
        entry: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**place, "hosts": hosts, "entry": resolved(entry)}
        super().__init__(OutboundAllowlistProvider(), resource, props, opts)
