"""The controls page: presets, clock, state and fault rules, by the same code as the control API."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs

from ..control import presets
from ..control.checks import clock_us, number, refused, time_us
from ..kernel.clock import MICROSECONDS
from ..kernel.faults import Rule
from ..kernel.multipart import parts_of
from ..kernel.nesting import read_json
from ..kernel.routing import Call, WireError
from ..kernel.world import World

EXAMPLE = '{"api": "logs", "status": 503, "headers": {"Retry-After": "7"}, "times": 2}'
MODES = {
    "running": "as your own clock",
    "frozen": "moves only by the buttons and the API",
    "auto": "frozen, but skips every wait",
}
STEPS = ((60, "+1 minute"), (600, "+10 minutes"), (3600, "+1 hour"), (86_400, "+1 day"))
SETTLING = {"credential_settles_s", "allowlist_settles_s"}
DEPLOYING = "While something is deployed"
SUBJECTS = {
    "logs": "Log ingest", "vault": "Credential vault", "automation": "Workflows", "settings": "Settings",
    "sso": "Sign-on", "grail": "Queries", "tokens": "Access tokens", "documents": "Documents",
}  # fmt: skip
"""What the presets of one API break."""
OPTION_SUBJECTS = {
    "credential": "Credential vault", "vault": "Credential vault", "allowlist": "Settings", "settings": "Settings",
    "old_records": "Log ingest", "logs": "Log ingest", "document": "Documents", "bearer": "Sign-on",
}  # fmt: skip
"""By the beginning of an option's name."""


def form(call: Call) -> dict[str, str]:
    """The fields of a posted form, the first value of each."""
    return {key: values[0] for key, values in parse_qs(call.body.decode("utf-8", "replace")).items()}


def upload(call: Call) -> Any:
    """The JSON document that a form brings as its file. Raises ValueError with what is wrong."""
    try:
        parts = parts_of(call.headers.get("content-type", ""), call.body)
    except ValueError:
        parts = []
    content = parts[0].content if parts else b""
    if not content.strip():
        raise ValueError("Choose a file first.")
    try:
        return read_json(content)
    except ValueError:
        raise ValueError("The file is not valid JSON.") from None


def groups(world: World, wanted: str = "") -> list[dict[str, Any]]:
    """The presets whose words hold the wanted ones, by what they break; those that meet deployments come last."""
    words = wanted.lower().split()
    found: dict[str, list[dict[str, Any]]] = {}
    for preset in presets.shown(world):
        text = f"{preset['name']} {preset['title']} {preset['look']} {json.dumps(preset['faults'])}".lower()
        if all(word in text for word in words):
            name = DEPLOYING if of_deployments(preset) else subject(world, preset)
            found.setdefault(name, []).append({**preset, "hits": hits(world, preset["name"])})
    return [
        {"name": name, "presets": members, "on": sum(each["on"] for each in members)}
        for name, members in sorted(found.items(), key=lambda item: item[0] == DEPLOYING)
    ]


def subject(world: World, preset: dict[str, Any]) -> str:
    """What a preset breaks."""
    if any(rule.get("script") for rule in preset["faults"]) or any(
        key.startswith("script_") for key in preset["options"]
    ):
        return "Scripts"
    if any(rule.get("tick") for rule in preset["faults"]) or "scheduler" in preset["options"]:
        return "Schedules"
    apis = {rule.get("api", "*") for rule in preset["faults"]}
    if not apis:
        option = next(iter(preset["options"]))
        owner = (plugin.title for plugin in world.plugins if plugin.options and hasattr(plugin.options, option))
        by_name = (name for start, name in OPTION_SUBJECTS.items() if option.startswith(start))
        return next(owner, None) or next(by_name, "Several APIs")
    titles = {**SUBJECTS, **{api: plugin.title for plugin in world.plugins for api in plugin.api_titles}}
    named = {titles.get(api, "Several APIs") for api in apis}
    return named.pop() if len(named) == 1 else "Several APIs"


def options(world: World) -> list[dict[str, Any]]:
    """Every option with its field: choices, or the range of a number."""
    types = get_type_hints(type(world.options))
    ranges = {each.name: each.metadata.get("range") for each in fields(world.options)}
    found = []
    for key, value in world.options.shown().items():
        choices = get_args(types[key]) if get_origin(types[key]) is Literal else ()
        found.append(
            {
                "key": key,
                "value": json.dumps(value) if isinstance(value, bool) else value,
                "choices": ("true", "false") if isinstance(value, bool) else choices,
                "range": ranges[key],
                "start": world.options_at_start[key],
                "changed": value != world.options_at_start[key],
            }
        )
    return found


def given_options(world: World, form: dict[str, str]) -> dict[str, Any]:
    """The options that a form changes. Raises ValueError with what is wrong."""
    given: dict[str, Any] = {}
    for key, value in world.options.shown().items():
        text = form.get(key)
        if text is None:
            continue
        try:
            new: Any = text == "true" if isinstance(value, bool) else type(value)(text)
        except ValueError:
            raise ValueError(f"{key}: expected a number, not “{text}”") from None
        if new != value:
            given[key] = new
    return given


def of_deployments(preset: dict[str, Any]) -> bool:
    """Whether it never affects a script."""
    meets = [rule for rule in preset["faults"] if rule.get("caller") != "outside" and rule.get("method") != "DELETE"]
    return not meets and preset["options"].keys() <= SETTLING


def hits(world: World, name: str) -> str:
    """How often an active preset has been triggered; empty if that is not counted (options)."""
    mine = [rule for rule in world.faults.rules if rule.note == presets.note(name)]
    if not mine:
        return ""
    number = sum(rule.hit for rule in mine)
    spent = all(rule.times is not None and rule.hit >= rule.times for rule in mine)
    times = "once" if number == 1 else f"{number} times"
    return f"Triggered {times}{', used up' if spent else ''}." if number else "Not triggered yet."


def rules(call: Call) -> list[dict[str, Any]]:
    """Rules without the members that have their default value."""
    defaults = {field.name: getattr(Rule(), field.name) for field in fields(Rule)}
    return [
        {
            "id": rule.id,
            "seen": rule.seen,
            "hit": rule.hit,
            "text": json.dumps({k: getattr(rule, k) for k in defaults if getattr(rule, k) != defaults[k]}),
        }
        for rule in call.world.faults.rules
    ]


def next_due_us(world: World) -> int | None:
    """When the next workflow is due, if any is."""
    row = world.store.one("SELECT min(next_us) AS at FROM workflows")
    return row["at"] if row and world.options.scheduler else None


def target_us(world: World, form: dict[str, str]) -> int:
    """Where a form of the clock wants it to be. Raises a 400."""
    now_us, due_us = world.clock.now_us(), next_due_us(world)
    if "at" in form:
        return clock_us(time_us(form["at"].strip(), "Time"))
    if "step" in form:
        return clock_us(now_us + round(number(form["step"], "step") * MICROSECONDS))
    if form.get("to") == "next run" and due_us is not None:
        return clock_us(max(due_us, now_us))  # not backwards, should it be due already
    raise refused(400, "Choose a mode, a step or a time.")


def message(error: WireError) -> str:
    return str(error.body["error"]["message"])


def restored(lost: list[str]) -> str:
    if not lost:
        return "Everything is back, secrets included."
    return f"Everything is back, save {len(lost)} secrets that this environment does not know: {', '.join(lost)}."
