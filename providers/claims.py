"""The mark in the descriptions of our objects, and the allowlist hosts that connectors claim in it.

A mark reads ``[Pulumi project/stack#installation]``. In a connector's SCM credential it also lists the hosts that the
connector needs: ``[Pulumi project/stack#installation hosts=+a.example,b.example]``. A ``+`` is before each host that a
connector has added. Project and stack can be renamed; the installation, which the state keeps, identifies the owner.

The allowlist is shared by everybody, so we add what is missing and later remove only what connectors have added and
none of them needs any more. Hence two steps, in this order:

1. *Claim*: write the claims into the mark. Done first, as an interrupted `up` would otherwise leave hosts that nobody
   removes. Each connector repeats the ``+`` of the others, so that the last one to go removes the hosts.
2. *List*: add the hosts to the allowlist (``add_hosts``), and remove them when they are no longer needed
   (``remove_hosts``).

Enforcement is never turned on or off: where it is off, the list cannot be stored and nothing needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, NotRequired

from .api.allowlist import MOST_HOSTS, Allowlist
from .api.environment import Environment
from .api.errors import Conflict, Refused
from .api.vault import Entry
from .configuration import Properties
from .host import say, warn

MARK = re.compile(r"\[Pulumi (?P<stack>[^\s\]]+)(?: hosts=(?P<claims>[^\s\]]*))?\]")
ADDED = "+"
LIST_OBJECT = "(list)"
"""Among the claimed hosts: the settings object itself, where there was none."""
TRIES = 6
ALMOST_FULL = 90

Plan = Callable[[Allowlist], tuple[str, ...]]


class ClaimProperties(Properties):
    """Whose claims: a connector's."""

    entry: NotRequired[str]
    """ID of the connector's SCM credential, which holds its claims; unknown in a state of the first release."""


# --- the mark --------------------------------------------------------------------------------------------------------


class Mark(NamedTuple):
    """What a description says about its object's owner. ``stack`` empty: no mark."""

    stack: str
    """The owner: ``project/stack#installation``; marks of the first release have no installation."""
    claims: tuple[str, ...]


def marked(purpose: str, stack: str, claims: Iterable[str] = ()) -> str:
    """A description that says what the object is for, and whose it is."""
    listed = ",".join(claims)
    return f"{purpose} [Pulumi {stack}{f' hosts={listed}' if listed else ''}]"


def mark_of(description: str) -> Mark:
    found = MARK.search(description)
    if not found:
        return Mark("", ())
    return Mark(found["stack"], tuple(found["claims"].split(",")) if found["claims"] else ())


def stack_of(owner: str) -> str:
    """``project/stack`` of an owner."""
    return owner.partition("#")[0]


def same_owner(one: str, other: str) -> bool:
    """Whether two owners are one installation, whatever its stack is called now. Where both lack an installation, as in
    the first release, their names decide."""
    installation, its_installation = one.partition("#")[2], other.partition("#")[2]
    return installation == its_installation if installation and its_installation else one == other


def may_be_same_owner(one: str, other: str) -> bool:
    """The same, for objects whose IDs the state knows: a mark of the first release says no more than a name."""
    return same_owner(one, other) or (stack_of(one) == stack_of(other) and not ("#" in one and "#" in other))


def added_in(claims: Iterable[str]) -> set[str]:
    """The hosts that a connector has added, of a mark's claims."""
    return {claim.removeprefix(ADDED) for claim in claims if claim.startswith(ADDED)}


def hosts_in(claims: Iterable[str]) -> set[str]:
    """All hosts of a mark's claims."""
    return {claim.removeprefix(ADDED) for claim in claims}


# --- first half: claims in the vault ---------------------------------------------------------------------------------


def claims_for(environment: Environment, hosts: Collection[str]) -> list[str]:
    """What to write into the mark of a connector that needs these hosts: ``+`` for each that is missing now or that
    connectors have added."""
    listed = environment.allowlist.read()
    ours: set[str] = set()
    if listed.enforced:
        ours = {host for host in hosts if host not in listed.hosts}
        if listed.object_id is None:
            ours.add(LIST_OBJECT)
        for entry in environment.vault.entries():
            ours |= added_in(mark_of(entry.description).claims) & {*hosts, LIST_OBJECT}
    return [f"{ADDED}{host}" for host in sorted(ours)] + sorted({*hosts} - ours)


def unclaimed(environment: Environment, hosts: Collection[str], claims: Iterable[str]) -> set[str]:
    """Hosts that a connector adds or has added, and that these claims do not say so of yet."""
    return added_in(claims_for(environment, hosts)) - added_in(claims) - {LIST_OBJECT}


def is_of(entry: Entry, place: ClaimProperties) -> bool:
    """Whether an entry is this connector's own: by its ID, or by its mark in a state of the first release."""
    if known := place.get("entry"):
        return entry.id == known
    mine = may_be_same_owner(mark_of(entry.description).stack, place["stack"])
    return mine and entry.name.rpartition(" ")[0] == place["connector"]


def claimed_by(environment: Environment, place: ClaimProperties) -> set[str]:
    """Hosts that connectors have added, as far as this connector's own mark says."""
    own = [mark_of(entry.description).claims for entry in environment.vault.entries() if is_of(entry, place)]
    return {host for claims in own for host in added_in(claims)}


def needed_by_others(environment: Environment, place: ClaimProperties) -> set[str]:
    others = [mark_of(entry.description).claims for entry in environment.vault.entries() if not is_of(entry, place)]
    return {host for claims in others for host in hosts_in(claims)}


# --- second half: hosts in the allowlist -----------------------------------------------------------------------------


def add_hosts(environment: Environment, hosts: Collection[str]) -> tuple[str, set[str]]:
    """Add what is missing; returns the object's ID and what was added."""
    planned: list[Allowlist] = []

    def plan(listed: Allowlist) -> tuple[str, ...]:
        planned.append(listed)
        return (*listed.hosts, *(host for host in hosts if host not in listed.hosts))

    last, object_id = rewrite(environment, plan)
    if not last.enforced:
        warn("outbound connections are not restricted in this environment; the allowlist was left unchanged")
        return object_id or "unrestricted", set()
    before = planned[0]  # after a write whose answer was lost, a second look sees the hosts as listed
    missing = {host for host in hosts if host not in before.hosts}
    total = len(before.hosts) + len(missing)
    if missing and total > ALMOST_FULL:
        warn(f"the outbound allowlist holds {total} of {MOST_HOSTS} hosts")
    return object_id or "", missing | ({LIST_OBJECT} if before.object_id is None else set())


def remove_hosts(environment: Environment, claimed: set[str], place: ClaimProperties) -> None:
    """Remove what connectors added and only this one needs, according to the known listing of the vault."""
    kept = claimed & needed_by_others(environment, place)
    if kept - {LIST_OBJECT}:
        say(f"allowlist: {', '.join(sorted(kept - {LIST_OBJECT}))} is kept, as another connector needs it")
    gone = claimed - kept
    if gone:
        rewrite(
            environment,
            lambda listed: tuple(host for host in listed.hosts if host not in gone),
            delete_empty=LIST_OBJECT in gone,
        )


def rewrite(environment: Environment, plan: Plan, *, delete_empty: bool = False) -> tuple[Allowlist, str | None]:
    """Read, plan, write; again from the start when somebody has changed the list in between (409). Returns the list
    as it was read last, and the object's ID."""
    for attempt in range(TRIES):
        listed = environment.allowlist.read()
        wanted = plan(listed)
        emptied = delete_empty and not wanted and listed.object_id is not None
        if not listed.enforced or (wanted == listed.hosts and not emptied):
            return listed, listed.object_id
        if len(wanted) > MOST_HOSTS:
            raise Refused(
                f"outbound allowlist: {len(listed.hosts)} hosts are listed and {len(wanted) - len(listed.hosts)} more "
                f"are needed, but Dynatrace stores {MOST_HOSTS} at most. Remove unused hosts under Settings > General "
                "> External requests"
            )
        try:
            if emptied:
                environment.allowlist.delete(listed)
                return listed, None
            return listed, environment.allowlist.write(listed, wanted)
        except Conflict:
            if attempt + 1 == TRIES:
                raise
    raise AssertionError("unreachable")
