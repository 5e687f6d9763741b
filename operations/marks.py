"""Whose the connector's objects are, by the marks in their descriptions: for ``status`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from providers.api.environment import Environment
from providers.claims import mark_of, same_owner, stack_of
from providers.parts import CHECKPOINT, CREDENTIALS, EXECUTION_LOCK, PARTS, WORKFLOW, WORKFLOW_CONFIG

KEPT = (CHECKPOINT.output, EXECUTION_LOCK.output, WORKFLOW_CONFIG.output)
"""Objects that keep the mark they were created with, as nobody can write it without their values."""


@dataclass(frozen=True)
class Named:
    """An object that has a name of this connector's."""

    output: str
    """Stack output of the part that it is."""
    id: str
    name: str
    owner: str
    """By its mark; empty: it has none."""

    def __str__(self) -> str:
        return f"“{self.name}” ({self.id}) is marked {self.owner}" if self.owner else f"“{self.name}” ({self.id})"


@dataclass(frozen=True)
class Marks:
    text: str
    problems: tuple[str, ...] = ()


def named(environment: Environment, connector: str) -> list[Named]:
    """All objects with this connector's names, whoever owns them."""
    outputs = {f"{connector} {part.name}": part.output for part in CREDENTIALS}
    found = [
        Named(outputs[entry.name], entry.id, entry.name, mark_of(entry.description).stack)
        for entry in environment.vault.entries()
        if entry.name in outputs
    ]
    return found + [
        Named(WORKFLOW.output, one["id"], one["title"], mark_of(one.get("description") or "").stack)
        for one in environment.automation.workflows_titled(f"{connector} {WORKFLOW.name}")
    ]


def that_stop(found: list[Named], owner: str, former: str, adopted: Mapping[str, str]) -> list[Named]:
    """The objects at which a first `pulumi up` would stop, as it may not use them.

    Args:
        owner: of the stack; without an installation while it has no state.
        former: ``formerStack`` of the stack config.
        adopted: ``adopt`` of the stack config.
    """
    deployed = any(one.output == WORKFLOW.output for one in found)

    def usable(one: Named) -> bool:
        if not one.owner:
            return one.id in adopted.values()
        of_stack = not deployed and stack_of(one.owner) == stack_of(owner)
        kept = of_stack and one.output in (CHECKPOINT.output, EXECUTION_LOCK.output)  # by keepCheckpoint
        return kept or ("#" in owner and same_owner(one.owner, owner)) or same_owner(one.owner, former)

    return [one for one in found if not usable(one)]


def judged(ids: Mapping[str, str], owner: str, found: list[Named]) -> Marks:
    """What the marks say about a deployed stack.

    Args:
        ids: the stack's outputs, which hold the ID of each object.
        owner: the output ``owner``; empty for a stack that an older release deployed.
        found: the objects of its names.
    """
    ours = [one for one in found if ids.get(one.output) == one.id]
    written = [one for one in ours if one.output not in KEPT]
    problems = [
        f"{one}, and not {owner}: another stack has taken it over, or this one was renamed and pulumi up has not run "
        "since"
        for one in written
        if owner and one.owner not in ("", owner)
    ]
    if not owner and len(several := sorted({one.owner for one in ours} - {""})) > 1:
        problems.append(f"the objects have marks of several stacks: {', '.join(several)}")
    twins = [one for one in found if one.output in ids and ids[one.output] != one.id]
    problems += [f"another object has the same name as ours: {one}" for one in twins]
    groups: dict[str, list[str]] = {}
    for part in PARTS:
        for one in ours:
            if one.output == part.output:
                groups.setdefault(one.owner or "no mark", []).append(part.key)
    shown = [f"{mark} ({', '.join(keys)})" if len(groups) > 1 else mark for mark, keys in groups.items()]
    return Marks("; ".join(shown) or "none found", tuple(problems))
