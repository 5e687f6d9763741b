"""Who may see, change and use an entry (facts: dynatrace-api 3; dynatrace-runtime 5).

Three levels: owner only, shared with named users, open to all. Sharing limits use, not the view of the metadata.
"""

from __future__ import annotations

from ..kernel.identity import Principal
from ..kernel.world import World
from . import errors
from .entries import Entry

CHANGE_SETTINGS = "environment:roles:manage-settings"
"""The permission behind "Change monitoring settings" (CVG)."""


def is_user(world: World, named: str, user: str) -> bool:
    """Whether a name in a request means this user: e-mail in the docs' sample, id elsewhere."""
    row = world.identity.user(user)
    return named == user or (row is not None and named.casefold() == str(row["email"]).casefold())


def visible(entry: Entry, user: str) -> bool:
    return entry.owner == user or not entry.content.owner_only


def check_visible(entry: Entry, user: str) -> None:
    """UNVERIFIED: 403 rather than 404 for the id of another user's owner-only entry."""
    if not visible(entry, user):
        raise errors.foreign()


def check_write(world: World, entry: Entry, who: Principal) -> None:
    """Anyone may overwrite an own entry; another user's, if it is not owner-only, by ``vault_foreign_write``."""
    if entry.owner == who.user:
        return
    check_visible(entry, who.user)
    rule = world.options.vault_foreign_write
    by_token = rule == "token" and who.kind == "api-token"
    by_role = rule != "nobody" and CHANGE_SETTINGS in world.identity.permissions(who.user)
    if not (rule == "anyone" or by_token or by_role):
        raise errors.may_not_overwrite()


def accessible(world: World, entry: Entry, user: str) -> bool:
    """Whether this user may use the secret: the owner, those it is shared with, or all."""
    if entry.owner == user:
        return True
    if entry.content.owner_only:
        return False
    users = [entity["id"] for entity in entry.content.allowed if entity["type"] == "USER"]
    return not users or any(is_user(world, named, user) for named in users)


def check_use(world: World, entry: Entry, user: str, supported: tuple[str, ...]) -> None:
    """Refuse ``details`` of this entry to this user.

    Callers here have no app around them (scripts of workflows, clients outside), hence ``allowContextlessRequests``;
    that a client outside is treated like a script is UNVERIFIED.
    """
    if not set(supported) & set(entry.content.scopes):
        text = f"{supported[0]} scope is" if len(supported) == 1 else f"{' and '.join(supported)} scope are"
        raise errors.unsupported_scope(text)
    if not accessible(world, entry, user):
        raise errors.foreign()
    if "APP_ENGINE" in entry.content.scopes and not entry.content.contextless:
        raise errors.needs_context()
