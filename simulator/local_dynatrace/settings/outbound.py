"""The outbound allowlist as the JavaScript runtime sees it: which hosts scripts may reach now.

The runtime learns of each change, a removal too, with a delay (``allowlist_settles_s``), so every change is noted with
its time.
"""

from __future__ import annotations

import json
from typing import Any

from ..kernel.clock import MICROSECONDS
from ..kernel.identity import Principal
from ..kernel.rows import RowChecks
from ..kernel.world import World
from . import constraints, hostnames, objects
from .schema import OUTBOUND, SCHEMAS

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings_outbound_history (
    number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, value TEXT NOT NULL);
"""
ALLOWLIST = SCHEMAS[OUTBOUND]
GROUP, ENFORCED, HOSTS = "allowedOutboundConnections", "enforced", "hostList"
MAX_HOSTS: int = ALLOWLIST.definition["types"]["AllowedHostsList"]["properties"][HOSTS]["maxObjects"]


def a_valid_value(entry: dict[str, Any], value: Any) -> None:
    if found := constraints.violations(ALLOWLIST, value):
        raise ValueError(f"{found[0]['path']}: {found[0]['message']}")


ROW_CHECKS = RowChecks({("settings_outbound_history", "value"): a_valid_value})


def value_now(world: World) -> dict[str, Any]:
    """The value as APIs show it: at once, and the schema's default where there is no object."""
    existing = objects.the_one(world, OUTBOUND)
    value = existing.value if existing else ALLOWLIST.default
    assert value is not None
    return value


def effective_hosts(value: dict[str, Any]) -> tuple[bool, list[str]]:
    """(enforced, hosts) of a valid value."""
    group = value[GROUP]
    return group[ENFORCED], list(group.get(HOSTS) or [])


def allowed_outbound(world: World) -> tuple[bool, frozenset[str]]:
    """(enforced, entries) as they are in effect now."""
    enforced, hosts = effective_hosts(settled_value(world))
    return enforced, frozenset(hosts)


def host_allowed(world: World, host: str) -> bool:
    """Whether a script's request to this host (no port) may pass now."""
    enforced, entries = allowed_outbound(world)
    depth = world.options.wildcard_depth
    return not enforced or any(hostnames.covers(entry, host, depth) for entry in entries)


def plant(world: World, hosts: list[str], who: Principal) -> None:
    """Give a fresh environment an allowlist that is in effect already."""
    value = {GROUP: {ENFORCED: True, HOSTS: hosts}}
    a_valid_value({}, value)
    objects.insert(world, OUTBOUND, value, who, None)
    note_change(world, at_us=0)


def note_change(world: World, *, at_us: int | None = None) -> None:
    """Write down the value from which the runtime will work once it has settled."""
    settled = settled_number(world)
    if settled is not None:
        world.store.run("DELETE FROM settings_outbound_history WHERE number < ?", settled)
    world.store.run(
        "INSERT INTO settings_outbound_history VALUES (NULL, ?, ?)",
        world.clock.now_us() if at_us is None else at_us,
        json.dumps(value_now(world)),
    )


def settled_value(world: World) -> dict[str, Any]:
    """The value that the runtime works from now."""
    number = settled_number(world)
    row = world.store.one("SELECT value FROM settings_outbound_history WHERE number = ?", number)
    value: dict[str, Any] | None = json.loads(row["value"]) if row else ALLOWLIST.default
    assert value is not None
    return value


def settled_number(world: World) -> int | None:
    """The newest change that has taken effect. One "from the future" (clock set back) has: it was made long ago."""
    now = world.clock.now_us()
    row = world.store.one(
        "SELECT max(number) AS number FROM settings_outbound_history WHERE at_us > ? OR at_us <= ?",
        now,
        now - round(world.options.allowlist_settles_s * MICROSECONDS),
    )
    number: int | None = row["number"] if row else None
    return number
