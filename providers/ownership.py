"""Whose object is it: the mark in a description, and which existing object is taken instead of making a twin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .api.errors import Refused

MARK = re.compile(r"\[Pulumi (?P<stack>[^\s\]]+)(?: hosts=(?P<claims>[^\s\]]*))?\]")


def marked(purpose: str, stack: str, claims: Iterable[str] = ()) -> str:
    """A description that tells people what the object is and us whose it is: ``… [Pulumi project/stack]``.

    ``claims`` are the allowlist hosts that this connector needs, with a ``+`` before those that a connector has added:
    no other connector's destroy takes them away, and the last connector to go takes the added ones.
    """
    listed = ",".join(claims)
    return f"{purpose} [Pulumi {stack}{f' hosts={listed}' if listed else ''}]"


def mark_of(description: str) -> tuple[str, tuple[str, ...]]:
    """(stack, claims) of a marked description; ("", ()) if it bears no mark."""
    found = MARK.search(description)
    if not found:
        return "", ()
    return found["stack"], tuple(found["claims"].split(",")) if found["claims"] else ()


@dataclass(frozen=True)
class Found:
    """An existing object that may be the one to take."""

    id: str
    name: str
    description: str


def choose(noun: str, name: str, stack: str, adopt: str, adopt_key: str, candidates: list[Found]) -> Found | None:
    """The existing object to take, or None to create one. Raises Refused where taking would be wrong.

    Ours (by mark) is taken again; a foreign one only if its id stands under ``adopt``; another stack's never.
    """
    if adopt:
        return adopted(noun, stack, adopt, adopt_key, candidates)
    same = [one for one in candidates if one.name == name]
    mine = [one for one in same if mark_of(one.description)[0] == stack]
    if len(mine) == 1:
        return mine[0]
    if not same:
        return None
    ids = ", ".join(one.id for one in mine or same)
    if mine:
        raise Refused(
            f"{noun} “{name}” exists {len(mine)} times and is marked as ours: {ids}. Delete all but the one in use"
        )
    owners = {mark_of(one.description)[0] for one in same} - {""}
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
        f"{noun} “{name}” ({ids}) exists already and is not ours. To take it over, with all that belongs to it in one "
        f"go: pulumi config set --path adopt.{adopt_key} {ids}"
    )


def adopted(noun: str, stack: str, id: str, adopt_key: str, candidates: list[Found]) -> Found:
    named = next((one for one in candidates if one.id == id), None)
    if named is None:
        raise Refused(f"adopt.{adopt_key}: there is no {noun} {id} of the right kind in this environment")
    owner, _ = mark_of(named.description)
    if owner not in ("", stack):
        raise Refused(f"adopt.{adopt_key}: {noun} {id} belongs to Pulumi stack {owner}; it is not taken from there")
    return named
