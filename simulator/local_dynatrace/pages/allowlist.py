"""What the page shows of the outbound allowlist: which hosts are listed, which work already, and who added them."""

from __future__ import annotations

from typing import Any

from ..kernel.world import World
from ..settings import objects, outbound
from ..settings.schema import OUTBOUND
from .executions import name_of


def view(world: World) -> dict[str, Any]:
    existing = objects.the_one(world, OUTBOUND)
    enforced, listed = outbound.effective_hosts(outbound.value_now(world))
    enforced_now, effective = outbound.allowed_outbound(world)
    added = {host: users for plugin in world.plugins for host, users in plugin.pages.host_users(world).items()}
    hosts = [{"host": host, "state": "in effect" if host in effective else "settling"} for host in listed]
    hosts += [{"host": host, "state": "being removed"} for host in sorted(effective - set(listed))]
    return {
        "enforced": enforced,
        "settled": enforced == enforced_now and effective == set(listed),
        "hosts": [{**host, "by": ", ".join(added.get(host["host"], []))} for host in hosts],
        "count": len(listed),
        "most": outbound.MAX_HOSTS,
        "modified": existing.modified_us if existing else None,
        "modified_by": name_of(world, existing.modified_by) if existing else None,
    }
