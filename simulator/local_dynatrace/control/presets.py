"""Presets: the faults and options of one known incident, switched on and off by name.

They come from ``presets.yaml`` here and from the plug-ins.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from .. import plugins
from ..kernel.routing import RouteTable
from ..kernel.world import World
from . import faults
from .checks import refused

FILE = Path(__file__).with_name("presets.yaml")
LAST = 100
"""Rank of a preset that has none."""

Preset = dict[str, Any]


def known(present: Iterable[plugins.Plugin] | None = None) -> dict[str, Preset]:
    """By name, with those of these plug-ins (default: every installed one), by rank and then in the files' order.

    Each has ``title``, ``source``, ``look``, and ``faults`` (rules) or ``options`` or both.
    """
    chosen = plugins.found() if present is None else present
    found: dict[str, Preset] = {}
    for file in (FILE, *(plugin.presets for plugin in chosen if plugin.presets)):
        found |= read(file)
    return dict(sorted(found.items(), key=lambda item: item[1].get("rank", LAST)))


@cache
def read(file: Path) -> dict[str, Preset]:
    import yaml

    found: dict[str, Preset] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def shown(world: World) -> list[Preset]:
    return [
        {"name": name, "on": is_on(world, preset, name), "faults": [], "options": {}, **preset}
        for name, preset in known(world.plugins).items()
    ]


def is_on(world: World, preset: Preset, name: str) -> bool:
    """Whether a rule of it is there, or an option has its value and not that of the start."""
    present = world.options.shown()
    return bool(rules_of(world, name)) or any(
        present[key] == value != world.options_at_start[key] for key, value in preset.get("options", {}).items()
    )


def rules_of(world: World, name: str) -> list[int]:
    return [rule.id for rule in world.faults.rules if rule.note == note(name)]


def note(name: str) -> str:
    return f"preset {name}"


def switch_on(world: World, table: RouteTable, name: str) -> None:
    """Add its rules, with fresh counts, and set its options."""
    preset = get(world, name)
    switch_off(world, name)
    for rule in preset.get("faults", []):
        faults.add(world, table, {**rule, "note": note(name)})
    world.options.change(preset.get("options", {}))
    notify(world)


def switch_off(world: World, name: str) -> None:
    """Remove its rules; its options go back to those of the start."""
    preset = get(world, name)
    for id in rules_of(world, name):
        world.faults.remove(id)
    world.options.change({key: world.options_at_start[key] for key in preset.get("options", {})})
    notify(world)


def get(world: World, name: str) -> Preset:
    found = known(world.plugins)
    if name not in found:
        raise refused(404, f"There is no preset {name}. Known: {', '.join(found)}.")
    return found[name]


def notify(world: World) -> None:
    world.changed("faults")
    world.changed("options")
