"""Whose object is it, and which existing object is used instead of creating a second one."""

from __future__ import annotations

from dataclasses import dataclass

from .api.errors import Refused
from .claims import mark_of


@dataclass(frozen=True)
class Found:
    """An existing object that may be the one to use."""

    id: str
    name: str
    description: str


def choose(noun: str, name: str, stack: str, adopt: str, adopt_key: str, candidates: list[Found]) -> Found | None:
    """The existing object to use, or None to create one. Raises Refused where using one would be wrong.

    Ours (by mark) is used again; an unmarked one only if its ID is named under ``adopt``; another stack's never.
    """
    if adopt:
        return adopted(noun, stack, adopt, adopt_key, candidates)
    same = [one for one in candidates if one.name == name]
    mine = [one for one in same if mark_of(one.description).stack == stack]
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
        raise Refused(
            f"{noun} “{name}” ({ids}) belongs to Pulumi stack {', '.join(sorted(owners))}. Two connectors in one "
            "environment need two names: pulumi config set name “…”"
        )
    if len(same) > 1:
        raise Refused(
            f"{noun} “{name}” exists {len(same)} times: {ids}. Choose one: "
            f"pulumi config set --path adopt.{adopt_key} ID"
        )
    raise Refused(
        f"{noun} “{name}” ({ids}) already exists and is not ours. To take it over, with everything that belongs to it: "
        f"pulumi config set --path adopt.{adopt_key} {ids}"
    )


def adopted(noun: str, stack: str, id: str, adopt_key: str, candidates: list[Found]) -> Found:
    named = next((one for one in candidates if one.id == id), None)
    if named is None:
        raise Refused(f"adopt.{adopt_key}: there is no {noun} {id} of the right kind in this environment")
    owner = mark_of(named.description).stack
    if owner not in ("", stack):
        raise Refused(f"adopt.{adopt_key}: {noun} {id} belongs to Pulumi stack {owner}; it is not taken over")
    return named
