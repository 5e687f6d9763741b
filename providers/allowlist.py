"""Step 2: the outbound allowlist, which all teams of an environment share.

We add the hosts that are missing and later remove those that we added, unless another connector claims them.
Enforcement is never turned on or off: where it is off, the list cannot be stored and nothing needs it.

What we add is claimed first, in the mark of the SCM credential: were it written afterwards, an `up` that ends in
between would leave hosts that nobody removes. A connector also claims what another one has claimed before it, so that
the last one to go takes the hosts away.
"""

from __future__ import annotations

from collections.abc import Callable

import pulumi

from .api.environment import Environment
from .api.errors import Conflict, Refused
from .api.settings import MOST_HOSTS, Allowlist
from .host import say, warn
from .lifecycle import DynatraceObject, ObjectProvider, Place, Props
from .ownership import mark_of

TRIES = 6
ALMOST_FULL = 90
OBJECT = "(list)"
"""Stands among the claimed hosts for the settings object itself, where there was none."""

Plan = Callable[[Allowlist], tuple[str, ...]]


class OutboundAllowlistProvider(ObjectProvider):
    compared = ("hosts",)
    outputs = ("claimed",)

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        claimed = claims(environment, of=props["stack"]).intersection({*props["hosts"], OBJECT})
        id, added = ensure(environment, props["hosts"], environment.settings.last_seen)
        return id, {"claimed": sorted({*claimed, *added})}

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        needed = {*news["hosts"], OBJECT}
        withdraw(environment, set(olds["claimed"]) - needed, stack=news["stack"])
        _, added = ensure(environment, news["hosts"])
        claimed = {*olds["claimed"], *claims(environment, of=news["stack"]), *added}
        return {"claimed": sorted(claimed & needed)}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        seen = environment.settings.allowlist()
        if not seen.enforced:
            return {}
        return {"hosts": [host for host in props["hosts"] if host in seen.hosts]}

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        withdraw(environment, set(props["claimed"]), stack=props["stack"])


def claims(environment: Environment, *, of: str | None = None, but: str | None = None) -> set[str]:
    """What marks in the vault claim: those of one stack, or those of all but one."""
    found: set[str] = set()
    for entry in environment.vault.entries():
        stack, claimed = mark_of(entry.description)
        if stack != but and stack in (of or stack,):
            found.update(claimed)
    return found


def claim(environment: Environment, hosts: list[str], stack: str) -> list[str]:
    """What this stack's destroy will have to take back: what is missing now, and what connectors have added."""
    seen = environment.settings.allowlist()
    if not seen.enforced:
        return []
    missing = {host for host in hosts if host not in seen.hosts} | ({OBJECT} if seen.object_id is None else set())
    return sorted((missing | claims(environment)) & {*hosts, OBJECT})


def ensure(environment: Environment, hosts: list[str], seen: Allowlist | None = None) -> tuple[str, list[str]]:
    """Add what is missing; returns (object id, what was added)."""

    planned: list[Allowlist] = []

    def plan(seen: Allowlist) -> tuple[str, ...]:
        planned.append(seen)
        return (*seen.hosts, *(host for host in hosts if host not in seen.hosts))

    last, object_id = rewrite(environment, plan, seen=seen)
    if not last.enforced:
        warn("outbound connections are not restricted in this environment; the allowlist was left as it is")
        return object_id or "unrestricted", []
    before = planned[0]  # a write whose answer was lost is seen by the second look only
    added = [host for host in hosts if host not in before.hosts]
    total = len(before.hosts) + len(added)
    if added and total > ALMOST_FULL:
        warn(f"the outbound allowlist holds {total} of {MOST_HOSTS} hosts")
    return object_id or "", [*added, *([OBJECT] if before.object_id is None else [])]


def withdraw(environment: Environment, claimed: set[str], *, stack: str) -> None:
    """Remove what we added and nobody else claims."""
    environment.vault.forget_listing()
    kept = claimed & claims(environment, but=stack)
    if kept - {OBJECT}:
        say(f"allowlist: {', '.join(sorted(kept - {OBJECT}))} stays, another connector needs it")
    gone = claimed - kept
    if gone:
        rewrite(environment, lambda seen: tuple(h for h in seen.hosts if h not in gone), delete_empty=OBJECT in gone)


def rewrite(
    environment: Environment, plan: Plan, *, seen: Allowlist | None = None, delete_empty: bool = False
) -> tuple[Allowlist, str | None]:
    """Read, plan, write; again from the start when somebody has changed the list in between (409)."""
    for attempt in range(TRIES):
        seen = seen if seen and not attempt else environment.settings.allowlist()
        wanted = plan(seen)
        emptied = delete_empty and not wanted and seen.object_id is not None
        if not seen.enforced or (wanted == seen.hosts and not emptied):
            return seen, seen.object_id
        if len(wanted) > MOST_HOSTS:
            raise Refused(
                f"outbound allowlist: {len(seen.hosts)} hosts are listed and {len(wanted) - len(seen.hosts)} more are "
                f"needed, but Dynatrace stores {MOST_HOSTS} at most. Remove unused hosts under Settings > General > "
                "External requests"
            )
        try:
            if emptied:
                environment.settings.delete_allowlist(seen)
                return seen, None
            return seen, environment.settings.write_allowlist(seen, wanted)
        except Conflict:
            if attempt + 1 == TRIES:
                raise
    raise AssertionError("unreachable")


class OutboundAllowlist(DynatraceObject, module="dynatrace", name="OutboundAllowlist"):
    """Hosts that scripts of this environment may reach.

    Outputs: ``claimed``, the hosts that this stack answers for, as they were not listed before.
    """

    hosts: pulumi.Output[list[str]]
    claimed: pulumi.Output[list[str]]

    def __init__(
        self, resource: str, place: Place, *, hosts: list[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(OutboundAllowlistProvider(), resource, {**place.props, "hosts": hosts}, opts)
