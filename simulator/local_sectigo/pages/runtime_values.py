"""The three vault entries of a connector that hold no secret: checkpoint, execution lock, workflow config.

They are shown, as a script could show them. An entry is one of them only if its name ends so, its description has the
mark ``[Pulumi project/stack]`` and its value looks like what belongs there: anything else stays hidden.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.kernel.world import World
from local_dynatrace.pages.executions import EXECUTIONS
from local_dynatrace.vault import entries
from local_dynatrace.vault.entries import Entry

from .ledger import moment_us

MARK = re.compile(r"\[Pulumi [^\s\]]+/[^\s\]]+( [^\]]*)?\]")
MOMENT = r"\d{4}-\d\d-\d\d[T ][0-9:.,]+(Z|[+-]\d\d:?\d\d)?"
FENCE_S, LEASE_S = 130, 180
"""After so long no script can be alive; and what a reader waits for who cannot ask whether it is."""
SHAPES = {
    "checkpoint": ("Checkpoint", re.compile(rf"NONE|{MOMENT}(\|[^\n|]*)?(\n\{{.*\}})?", re.IGNORECASE)),
    "lock": ("Execution Lock", re.compile(rf"IDLE|RUNNING(\|[0-9a-f-]*\|({MOMENT})?\|({MOMENT})?)?", re.IGNORECASE)),
    "config": ("Workflow Config", re.compile(r"\{.*\}", re.DOTALL)),
}
CONFIG_KEYS = {"maxRetries", "initHistoryDuration", "initialCheckpoint"}


@dataclass(frozen=True)
class Value:
    kind: str
    """``checkpoint``, ``lock`` or ``config``."""
    id: str
    name: str
    text: str


def all_of(world: World) -> dict[str, Value]:
    """By the entry's id."""
    return {entry.id: value for entry in entries.after(world, 0) if (value := of(world, entry))}


def texts(world: World) -> dict[str, str]:
    """The values that may be shown, by the entry's id."""
    return {id: value.text for id, value in all_of(world).items()}


def of(world: World, entry: Entry) -> Value | None:
    """The value of an entry that may be shown; None for every other."""
    kind = next((kind for kind, (ending, _) in SHAPES.items() if entry.content.name.endswith(f" {ending}")), None)
    if kind is None or entry.content.type != "TOKEN" or not MARK.search(entry.content.description):
        return None
    found = entries.find(world, entry.id, unsealed=True)
    text = found.content.secret.get("token", "").strip() if found else ""
    if not SHAPES[kind][1].fullmatch(text) or (kind == "config" and not harmless(text)):
        return None
    return Value(kind, entry.id, entry.content.name, text)


def harmless(text: str) -> bool:
    """Whether a config holds only keys that are known to be no secret."""
    try:
        given = json.loads(text)
    except ValueError:
        return False
    return isinstance(given, dict) and given.keys() <= CONFIG_KEYS


def of_workflow(world: World, definition: str) -> dict[str, Value]:
    """By kind, of the entries that a workflow's script names."""
    return {value.kind: value for id, value in all_of(world).items() if id in definition}


def checkpoint(text: str) -> list[tuple[str, str]]:
    """A checkpoint in words; its second line is the script's own (JSON)."""
    human, _, machine = text.partition("\n")
    at, _, id = human.partition("|")
    try:
        inner: dict[str, Any] = json.loads(machine) if machine else {}
    except ValueError:
        inner = {}
    shown = [("Newest record sent", at)]
    if id:
        shown.append(("Its id", id))
    if inner.get("hw"):
        shown.append(("Complete up to", str(inner["hw"])))
    if inner.get("from"):
        shown.append(("Open window", f"{inner['from']} to {inner.get('to')}"))
    if isinstance(inner.get("seen"), str):
        shown.append(("Records remembered", str(len(inner["seen"]) // 8)))
    return shown


def lock(text: str, now_us: int) -> dict[str, Any]:
    """A lock in words and as geometry: how much of fence and lease has passed (0..1000)."""
    word, owner, started, until = ([*text.split("|"), "", "", ""])[:4]
    started_us, until_us = moment_us(started), moment_us(until)
    held = word.upper() == "RUNNING"
    age_s = (now_us - started_us) / MICROSECONDS if held and started_us is not None else None
    return {
        "held": held,
        "owner": owner,
        "href": f"{EXECUTIONS}/{owner}" if owner else None,
        "since": started_us,
        "until": until_us,
        "age_s": age_s,
        "passed": None if age_s is None else round(1000 * min(1.0, max(0.0, age_s / LEASE_S))),
        "fence": round(1000 * FENCE_S / LEASE_S),
    }
