"""Whose object is it, and which existing object is used instead of creating a second one."""

from __future__ import annotations

from dataclasses import dataclass

from .api.errors import Refused
from .claims import mark_of, may_be_same_owner, same_owner


@dataclass(frozen=True)
class Found:
    """An existing object that may be the one to use."""

    id: str
    name: str
    description: str


def is_ours(description: str, stack: str, former: str = "") -> bool:
    """Whether a mark names this owner, or one whose objects it may take over."""
    owner = mark_of(description).stack
    return bool(owner) and (same_owner(owner, stack) or (bool(former) and same_owner(owner, former)))


def choose(
    noun: str, name: str, stack: str, adopt: str, adopt_key: str, candidates: list[Found], former: str = ""
) -> Found | None:
    """The existing object to use, or None to create one. Raises Refused where using one would be wrong.

    Ours (by mark) is used again; an unmarked one only if its ID is named under ``adopt``; another installation's never,
    even if its stack has our name: a renamed stack leaves its former name to others. ``former``: an owner whose objects
    are ours, by ``formerStack`` of the stack config.
    """
    if adopt:
        return adopted(noun, stack, adopt, adopt_key, candidates, former)
    same = [one for one in candidates if one.name == name]
    mine = [one for one in same if is_ours(one.description, stack, former)]
    if len(mine) == 1:
        return mine[0]
    if not same:
        return None
    ids = ", ".join(one.id for one in mine or same)
    if mine:
        raise Refused(
            f"{noun} “{name}” exists {len(mine)} times and is marked as ours: {ids}. Delete all but the one in use"
        )
    owners = {mark_of(one.description).stack for one in same} - {""}
    if owners:
        raise foreign(f"{noun} “{name}” ({ids})", sorted(owners), stack)
    if len(same) > 1:
        raise Refused(
            f"{noun} “{name}” exists {len(same)} times: {ids}. Choose one: "
            f"pulumi config set --path adopt.{adopt_key} ID"
        )
    raise Refused(
        f"{noun} “{name}” ({ids}) already exists and is not ours. To take it over, with everything that belongs to it: "
        f"pulumi config set --path adopt.{adopt_key} {ids}"
    )


def foreign(what: str, owners: list[str], stack: str) -> Refused:
    """The refusal of an object that others own, with the ways out."""
    return Refused(
        f"{what} belongs to Pulumi stack {', '.join(owners)}; this is {stack}. Two connectors in one environment need "
        "two names: pulumi config set name “…”. Only if that was this stack before its state was lost, take its "
        f"objects over: pulumi config set formerStack {owners[0]}"
    )


def adopted(noun: str, stack: str, id: str, adopt_key: str, candidates: list[Found], former: str = "") -> Found:
    named = next((one for one in candidates if one.id == id), None)
    if named is None:
        raise Refused(f"adopt.{adopt_key}: there is no {noun} {id} of the right kind in this environment")
    owner = mark_of(named.description).stack
    if owner and not is_ours(named.description, stack, former):
        raise foreign(f"adopt.{adopt_key}: {noun} {id}", [owner], stack)
    return named


def require_ours(noun: str, name: str, id: str, description: str, *owners: str) -> None:
    """Raise Refused for an object that the state knows, but that carries another owner's mark now.

    ``owners``: what the state, and then the program, call this stack. A stack that has taken the objects over, or has a
    copy of the state, has written another mark.
    """
    owner = mark_of(description).stack
    # Of two marks with one installation the label must agree, too: a copied state has the same installation.
    of_first_release = [one for one in owners if not ("#" in one and "#" in owner)]
    if not owner or owner in owners or any(may_be_same_owner(owner, one) for one in of_first_release):
        return
    raise Refused(
        f"{noun} “{name}” ({id}) now belongs to Pulumi stack {owner}; this is {owners[-1]}. It is left unchanged. If "
        "this stack was renamed, run pulumi up first. If the other one took the object over, or has a copy of this "
        "state, make this one forget its objects without deleting them: pulumi stack rm --force"
    )
