"""What each operation of the vault does."""

from __future__ import annotations

import re
from typing import Any

from ..kernel.checks import constraints_violated, violation
from ..kernel.clock import MICROSECONDS
from ..kernel.identity import Principal
from ..kernel.world import World
from . import access, entries, errors
from .entries import Content, Entry

ID = re.compile(r"CREDENTIALS_VAULT-[0-9A-F]{16}")


def create(world: World, content: Content, owner: str) -> str:
    """Add an entry and return its id. Names are not unique: n creates make n entries (MO#174)."""
    new = f"CREDENTIALS_VAULT-{world.ids.hex(16)}"
    entries.insert(world, new, owner, content)
    world.changed("credential", new)
    return new


def replace(world: World, id: str, content: Content, who: Principal) -> bool:
    """Replace a whole entry and make the caller its owner; whether it had to be created.

    An unknown id is created under that very id (SC: 201 "has been created"; which id is UNVERIFIED).
    """
    entry = entries.find(world, id)
    if entry is None:
        if world.options.vault_put_unknown == "refuse" or not ID.fullmatch(id):
            raise errors.not_found(id)
        entries.insert(world, id, who.user, content)
    else:
        access.check_write(world, entry, who)
        if entry.content.type != content.type:  # UNVERIFIED
            raise constraints_violated([violation("type", f"cannot be changed from {entry.content.type}")])
        entries.update(world, id, who.user, content)
    world.changed("credential", id)
    return entry is None


def delete(world: World, id: str, who: Principal) -> None:
    """A workflow that names the id protects nothing (facts: dynatrace-api 3)."""
    entry = metadata(world, id, who.user)
    access.check_write(world, entry, who)
    world.store.run("DELETE FROM credentials WHERE id = ?", id)
    world.changed("credential", id)


def metadata(world: World, id: str, user: str) -> Entry:
    entry = entries.find(world, id)
    if entry is None:
        raise errors.not_found(id)
    access.check_visible(entry, user)
    return entry


def details(world: World, id: str, user: str, supported: tuple[str, ...]) -> Entry:
    """An entry with its secret, for a caller that may use it."""
    entry = entries.find(world, id, unsealed=True)
    if entry is None:
        raise errors.not_found(id)
    if settling(world, entry):
        raise errors.not_yet_usable(id)
    access.check_use(world, entry, user, supported)
    return entry


def settling(world: World, entry: Entry) -> bool:
    """Whether the id is too new to be known everywhere; an entry "from the future" (clock set back) is not."""
    age_us = world.clock.now_us() - entry.created_us
    return 0 <= age_us < world.options.credential_settles_s * MICROSECONDS


def secret(world: World, id: str) -> dict[str, Any]:
    """The secret of an entry for the environment's own use, past all access rules. Raises KeyError if unknown."""
    entry = entries.find(world, id, unsealed=True)
    if entry is None:
        raise KeyError(id)
    return dict(entry.content.secret)
