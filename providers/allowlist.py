"""Step 2: the outbound allowlist, which all teams of an environment share.

We add the hosts that are missing and later remove those that we added, unless another connector needs them.
Enforcement is never turned on or off: where it is off, the list cannot be stored and nothing needs it.

What a connector needs stands in the mark of its SCM credential, with a ``+`` before what a connector has added. It is
written before the list is: an `up` that ends in between would leave hosts that nobody removes. Each connector repeats
the ``+`` of the others, so that the last one to go takes the hosts away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pulumi

from .api.environment import Environment
from .api.errors import Conflict, Refused
from .api.settings import MOST_HOSTS, Allowlist
from .api.vault import Entry
from .host import say, warn
from .lifecycle import DynatraceObject, ObjectProvider, Place, Props
from .ownership import mark_of

TRIES = 6
ALMOST_FULL = 90
OBJECT = "(list)"
"""Stands among the claimed hosts for the settings object itself, where there was none."""
ADDED = "+"

Plan = Callable[[Allowlist], tuple[str, ...]]


class OutboundAllowlistProvider(ObjectProvider):
    compared = ("hosts",)
    outputs = ("claimed",)

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        claimed = claimed_by(environment, props) & {*props["hosts"], OBJECT}
        id, added = ensure(environment, props["hosts"], environment.settings.last_seen)
        return id, {"claimed": sorted({*claimed, *added})}

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        wanted = {*news["hosts"], OBJECT}
        if unwanted := set(olds["claimed"]) - wanted:
            environment.vault.forget_listing()
            withdraw(environment, unwanted, news)
        _, added = ensure(environment, news["hosts"])
        claimed = {*olds["claimed"], *claimed_by(environment, news), *added}
        return {"claimed": sorted(claimed & wanted)}

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        seen = environment.settings.allowlist()
        if not seen.enforced:
            return {}
        return {"hosts": [host for host in props["hosts"] if host in seen.hosts]}

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        environment.vault.forget_listing()
        withdraw(environment, {*props["claimed"], *claimed_by(environment, props)}, props)


def is_of(entry: Entry, props: Props) -> bool:
    """Whether an entry bears this connector's mark; its stack alone may occur in another Pulumi backend as well."""
    return (mark_of(entry.description)[0], entry.name.rpartition(" ")[0]) == (props["stack"], props["connector"])


def added(claims: Iterable[str]) -> set[str]:
    return {one.removeprefix(ADDED) for one in claims if one.startswith(ADDED)}


def claimed_by(environment: Environment, props: Props) -> set[str]:
    """What this connector's mark says that a connector has added."""
    marks = [mark_of(entry.description)[1] for entry in environment.vault.entries() if is_of(entry, props)]
    return {host for claims in marks for host in added(claims)}


def needed_by_others(environment: Environment, props: Props) -> set[str]:
    marks = [mark_of(entry.description)[1] for entry in environment.vault.entries() if not is_of(entry, props)]
    return {one.removeprefix(ADDED) for claims in marks for one in claims}


def claim(environment: Environment, hosts: list[str]) -> list[str]:
    """The claims of who needs these hosts; ``+`` for what is missing now and what connectors have added."""
    seen = environment.settings.allowlist()
    ours: set[str] = set()
    if seen.enforced:
        ours = {host for host in hosts if host not in seen.hosts} | ({OBJECT} if seen.object_id is None else set())
        for entry in environment.vault.entries():
            ours |= added(mark_of(entry.description)[1]) & {*hosts, OBJECT}
    return [f"{ADDED}{one}" for one in sorted(ours)] + sorted({*hosts} - ours)


def unclaimed(environment: Environment, hosts: list[str], claims: list[str]) -> set[str]:
    """Hosts of which the mark does not say yet that a connector adds or has added them."""
    return added(claim(environment, hosts)) - added(claims) - {OBJECT}


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


def withdraw(environment: Environment, claimed: set[str], props: Props) -> None:
    """Remove what connectors added and none but this one needs, by the listing of the vault as it is known."""
    kept = claimed & needed_by_others(environment, props)
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
