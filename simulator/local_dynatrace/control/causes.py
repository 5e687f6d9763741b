"""What is broken on purpose at this moment, and which requests and runs a fault rule has hit."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..kernel.clock import MICROSECONDS
from ..kernel.world import LoggedRequest, World
from . import presets

LEAST_SHIFT_S = 60
"""A clock that differs less from the real one counts as right."""


@dataclass(frozen=True)
class Cause:
    """One thing that is on: a preset, a fault rule of one's own, an option."""

    words: str
    place: str
    """Where the controls page shows it: the id of an element."""


def active(world: World) -> list[Cause]:
    known = presets.shown(world)
    found = [Cause(preset["title"], f"preset-{preset['name']}") for preset in known if preset["on"]]
    notes = {presets.note(preset["name"]) for preset in known}
    found += [Cause(f"Fault rule {rule.id}", "faults") for rule in world.faults.rules if rule.note not in notes]
    covered = {key for preset in known if preset["on"] for key in preset["options"]}
    found += [
        Cause(f"Option {key} is {value}", "options") for key, value in changed_options(world) if key not in covered
    ]
    return found


def changed_options(world: World) -> list[tuple[str, object]]:
    """Options that differ from those at the start."""
    return [(key, value) for key, value in world.options.shown().items() if value != world.options_at_start[key]]


def clock_shift(world: World) -> str:
    """How far the clock is from the real time: ``+3 h``; empty if it is not."""
    seconds = (world.clock.now_us() - time.time_ns() // 1000) / MICROSECONDS
    if abs(seconds) < LEAST_SHIFT_S:
        return ""
    size, unit = next(each for each in ((86_400, "d"), (3600, "h"), (60, "min")) if abs(seconds) >= 0.95 * each[0])
    sign = "+" if seconds > 0 else "\u2212"
    return f"{sign}{round(abs(seconds) / size)} {unit}"


def hits(world: World, execution: str) -> list[LoggedRequest]:
    """Requests of a run that a fault rule hit, oldest first."""
    return [line for line in world.requests if line.execution == execution and line.fault is not None]


def killer(world: World, execution: str) -> str:
    """The fault rule that killed a run's script; empty if none did, or the log does not reach back that far."""
    found = (line for line in reversed(world.requests) if line.execution == execution and line.fault_kills)
    return next((by_rule(world, line) for line in found), "")


def by_rule(world: World, line: LoggedRequest) -> str:
    """``fault rule 3 (One vault write in three fails with 500)``"""
    titles = {presets.note(name): preset["title"] for name, preset in presets.known(world.plugins).items()}
    title = titles.get(line.fault_note, line.fault_note)
    return f"fault rule {line.fault}{f' ({title})' if title else ''}"
