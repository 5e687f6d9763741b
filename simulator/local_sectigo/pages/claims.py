"""Which stacks added or need a host of the outbound allowlist, by the marks of their vault entries."""

from __future__ import annotations

import re

from local_dynatrace.kernel.world import World
from local_dynatrace.vault import entries

CLAIM = re.compile(r"\[Pulumi (?P<stack>[^\s\]]+) hosts=(?P<hosts>[^\s\]]+)\]")
"""A deployment writes into the description of a vault entry what it needs on the list; ``+`` marks what one
of its kind has added."""


def claims(world: World) -> dict[str, list[str]]:
    """Host -> the Pulumi stacks that say they need it, and whether they added it."""
    found: dict[str, list[str]] = {}
    for entry in entries.after(world, 0):
        if claim := CLAIM.search(entry.content.description):
            for host in claim["hosts"].split(","):
                says = claim["stack"] if host.startswith("+") else f"{claim['stack']} (needs it)"
                found.setdefault(host.removeprefix("+"), []).append(says)
    return found
