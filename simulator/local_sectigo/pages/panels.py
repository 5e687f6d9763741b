"""What the connector adds to the environment's own pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_dynatrace.kernel.routing import Call
from local_dynatrace.kernel.world import World
from local_dynatrace.pages.controls import next_due_us
from local_dynatrace.pages.render import part
from local_dynatrace.plugins import Panel

from ..scm import stream
from . import chain, connector, ledger


def overview(call: Call, about: None) -> Panel | None:
    """The first connector in short, if there is one."""
    found = connector.strip(call.world)
    return Panel(part(call, "strip.html", connector=found, here="overview", due_us=None)) if found else None


def controls(call: Call, about: None) -> Panel:
    """The first connector in short, or that there is none, so that the effect of a fault is seen at once."""
    found, due_us = connector.strip(call.world), next_due_us(call.world)
    return Panel(part(call, "strip.html", connector=found, here="controls", due_us=due_us))


def workflow(call: Call, about: dict[str, Any]) -> Panel | None:
    """A link to the connector page."""
    row = call.world.store.one("SELECT definition FROM workflows WHERE id = ?", about["id"])
    if row is None or ledger.SOURCE not in row["definition"]:
        return None
    return Panel(part(call, "connector_link.html", href=f"{connector.PATH}?workflow={about['id']}"))


def facts(call: Call, about: dict[str, Any]) -> Panel:
    """Which leg of a chain an execution is."""
    return Panel(part(call, "chain_facts.html", execution=about, chain=chain.view(call.world, about["row"])))


def execution(call: Call, about: dict[str, Any]) -> Panel | None:
    """The chain of runs that an execution belongs to. A leg starts the next one just before it ends."""
    found = chain.view(call.world, about["row"])
    return Panel(part(call, "chain.html", chain=found), bool(found["alive"])) if found else None


def figures(world: World) -> list[tuple[str, int, str | None]]:
    stream.materialise(world)
    row = world.store.one("SELECT count(*) AS number FROM scm_records")
    return [("Audit records at SCM", row["number"] if row else 0, None)]


PANELS: Mapping[str, Callable[[Call, Any], Panel | None]] = {
    "overview": overview, "controls": controls, "workflow": workflow, "execution.facts": facts, "execution": execution,
}  # fmt: skip
