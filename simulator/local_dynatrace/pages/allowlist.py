"""What the page shows of the outbound allowlist: which hosts are listed, which work already, and who added them."""

from __future__ import annotations

import re
from typing import Any

from ..kernel.world import World
from ..settings import objects, rules, schema
from ..vault import entries
from .executions import name_of

CLAIM = re.compile(r"\[Pulumi (?P<stack>[^\s\]]+) hosts=(?P<hosts>[^\s\]]+)\]")
"""A deployment writes into the description of a vault entry what it needs on the list; ``+`` stands before what one
of its kind has added."""


def view(world: World) -> dict[str, Any]:
    existing = objects.the_one(world)
    enforced, listed = schema.effective_hosts(rules.value_now(world))
    enforced_now, effective = rules.allowed_outbound(world)
    added = claims(world)
    hosts = [{"host": host, "state": "in effect" if host in effective else "settling"} for host in listed]
    hosts += [{"host": host, "state": "being removed"} for host in sorted(effective - set(listed))]
    return {
        "enforced": enforced,
        "settled": enforced == enforced_now and effective == set(listed),
        "hosts": [{**host, "by": ", ".join(added.get(host["host"], []))} for host in hosts],
        "count": len(listed),
        "most": schema.MAX_HOSTS,
        "modified": existing.modified_us if existing else None,
        "modified_by": name_of(world, existing.modified_by) if existing else None,
    }


def claims(world: World) -> dict[str, list[str]]:
    """Host -> the Pulumi stacks that say they need it, and whether they answer for its being there."""
    found: dict[str, list[str]] = {}
    for entry in entries.after(world, 0):
        if claim := CLAIM.search(entry.content.description):
            for host in claim["hosts"].split(","):
                says = claim["stack"] if host.startswith("+") else f"{claim['stack']} (needs it)"
                found.setdefault(host.removeprefix("+"), []).append(says)
    return found
