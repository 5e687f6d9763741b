"""Step 2: the outbound allowlist, which all teams of an environment share.

We add the hosts that are missing and later remove those that we added, unless another connector's mark claims them.
Enforcement is never turned on or off: where it is off, the list cannot be stored and nothing needs it.
"""

from __future__ import annotations

from typing import Any

import pulumi

from .api.environment import Environment
from .api.errors import Conflict, Refused
from .api.settings import MOST_HOSTS, Allowlist
from .lifecycle import DynatraceObject, ObjectProvider, Place, Props, mark_of, say, warn

TRIES = 6
ALMOST_FULL = 90


class OutboundAllowlistProvider(ObjectProvider):
    compared = ("hosts",)
    outputs = ("added", "created")

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        claimed = claims(environment, of=props["stack"])
        id, added, created = ensure(environment, props["hosts"])
        # After a lost state, the hosts that our own mark claims were added by us.
        return id, {"added": sorted({*added, *claimed.intersection(props["hosts"])}), "created": created}

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        dropped = set(olds["added"]) - set(news["hosts"])
        withdraw(environment, dropped, stack=news["stack"], delete_empty=False)
        _, added, created = ensure(environment, news["hosts"])
        kept = set(olds["added"]) - dropped
        return {"added": sorted({*kept, *added}), "created": olds["created"] or created}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        seen = environment.settings.allowlist()
        if not seen.enforced:
            return {}
        return {"hosts": [host for host in props["hosts"] if host in seen.hosts]}

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        withdraw(environment, set(props["added"]), stack=props["stack"], delete_empty=props["created"])


def claims(environment: Environment, *, of: str | None = None, but: str | None = None) -> set[str]:
    """Hosts that marks in the vault claim: of one stack, or of all but one."""
    marks = [mark_of(entry.description) for entry in environment.vault.entries()]
    return {host for stack, hosts in marks if stack and stack in (of or stack,) and stack != but for host in hosts}


def ensure(environment: Environment, hosts: list[str]) -> tuple[str, list[str], bool]:
    """Add what is missing; returns (object id, hosts added, whether the object is new)."""

    def plan(seen: Allowlist) -> tuple[str, ...]:
        return (*seen.hosts, *(host for host in hosts if host not in seen.hosts))

    seen, object_id = rewrite(environment, plan)
    if not seen.enforced:
        warn("outbound connections are not restricted in this environment; the allowlist was left as it is")
        return object_id or "unrestricted", [], False
    added = [host for host in hosts if host not in seen.hosts]
    total = len(seen.hosts) + len(added)
    if total > ALMOST_FULL:
        warn(f"the outbound allowlist holds {total} of {MOST_HOSTS} hosts")
    return object_id or "", added, seen.object_id is None


def withdraw(environment: Environment, hosts: set[str], *, stack: str, delete_empty: bool) -> None:
    """Remove hosts that we added and nobody else claims."""
    environment.vault.forget_listing()
    kept = hosts & claims(environment, but=stack)
    if kept:
        say(f"allowlist: {', '.join(sorted(kept))} stays, another connector needs it")
    gone = hosts - kept
    if gone:
        rewrite(environment, lambda seen: tuple(h for h in seen.hosts if h not in gone), delete_empty=delete_empty)


def rewrite(environment: Environment, plan: Any, *, delete_empty: bool = False) -> tuple[Allowlist, str | None]:
    """Read, plan, write; again from the start when somebody has changed the list in between (409)."""
    for attempt in range(TRIES):
        seen = environment.settings.allowlist()
        wanted = plan(seen)
        if not seen.enforced or wanted == seen.hosts:
            return seen, seen.object_id
        if len(wanted) > MOST_HOSTS:
            raise Refused(
                f"outbound allowlist: {len(seen.hosts)} hosts are listed and {len(wanted) - len(seen.hosts)} more are "
                f"needed, but Dynatrace stores {MOST_HOSTS} at most. Remove unused hosts under Settings > General > "
                "External requests"
            )
        try:
            if delete_empty and not wanted:
                environment.settings.delete_allowlist(seen)
                return seen, None
            return seen, environment.settings.write_allowlist(seen, wanted)
        except Conflict:
            if attempt + 1 == TRIES:
                raise
    raise AssertionError("unreachable")


class OutboundAllowlist(DynatraceObject, module="dynatrace", name="OutboundAllowlist"):
    """Hosts that scripts of this environment may reach.

    Outputs: ``added``, the hosts that were not listed before.
    """

    hosts: pulumi.Output[list[str]]
    added: pulumi.Output[list[str]]

    def __init__(
        self, resource: str, place: Place, *, hosts: list[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(OutboundAllowlistProvider(), resource, {**place.props, "hosts": hosts}, opts)
