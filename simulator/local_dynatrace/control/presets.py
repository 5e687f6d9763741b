"""Presets: the faults and options of one known incident, switched on and off by name (``presets.yaml``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ..kernel.world import World
from . import faults
from .checks import refused

FILE = Path(__file__).with_name("presets.yaml")


@cache
def known() -> dict[str, dict[str, Any]]:
    """By name: ``title``, ``source``, ``look``, and ``faults`` (rules) or ``options`` or both."""
    import yaml

    found: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def shown(world: World) -> list[dict[str, Any]]:
    return [{"name": name, "on": is_on(world, name), "faults": [], "options": {}, **known()[name]} for name in known()]


def is_on(world: World, name: str) -> bool:
    """Whether a rule of it is there, or an option has its value and not that of the start."""
    present = world.options.shown()
    return bool(rules_of(world, name)) or any(
        present[key] == value != world.options_at_start[key] for key, value in known()[name].get("options", {}).items()
    )


def rules_of(world: World, name: str) -> list[int]:
    return [rule.id for rule in world.faults.rules if rule.note == note(name)]


def note(name: str) -> str:
    return f"preset {name}"


def switch_on(world: World, name: str) -> None:
    """Add its rules anew and set its options."""
    preset = get(name)
    switch_off(world, name)
    for rule in preset.get("faults", []):
        faults.add(world, {**rule, "note": note(name)})
    world.options.change(preset.get("options", {}))
    told(world)


def switch_off(world: World, name: str) -> None:
    """Remove its rules; its options go back to those of the start."""
    preset = get(name)
    for id in rules_of(world, name):
        world.faults.remove(id)
    world.options.change({key: world.options_at_start[key] for key in preset.get("options", {})})
    told(world)


def get(name: str) -> dict[str, Any]:
    if name not in known():
        raise refused(404, f"There is no preset {name}. Known: {', '.join(known())}.")
    return known()[name]


def told(world: World) -> None:
    world.changed("faults")
    world.changed("options")
