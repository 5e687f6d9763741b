"""The whole state as one readable JSON document without secrets, out and in again.

A secret is exported as a keyed fingerprint. On restore it is found again if this environment knows it (it was exported
here) or the seed has one for the same id; the others are lost and listed.
"""

from __future__ import annotations

import json
import sqlite3
from secrets import token_hex
from typing import Any

from .. import VERSION, seed
from ..automation import tables as automation_tables
from ..kernel import timekeeping
from ..kernel.identity import digest
from ..kernel.nesting import read_json
from ..kernel.store import Row
from ..kernel.world import World
from . import dump, reset, soundness
from .checks import clock_us, refused

FORMAT = "local environment 1"
NEVER = ("bearer_tokens", "grail_queries")
"""Short-lived tokens and query results."""
SECRET = "secret:"
HIDDEN = ("digest", "sealed")
"""Columns that hold secrets: a digest, or what ``Store.seal`` made."""


def export(world: World) -> dict[str, Any]:
    key = _key(world)
    return {
        "format": FORMAT,
        "version": VERSION,
        "clock": {"mode": world.clock.mode, "nowUs": world.clock.now_us()},
        "tables": {
            name: [
                _readable(world, key, row)
                for row in world.store.all(f'SELECT * FROM "{name}"')
                if not (name == "kernel_meta" and row["key"] == "clock")  # in ``clock`` above
            ]
            for name in _tables(world)
        },
    }


async def restore(world: World, document: dict[str, Any]) -> list[str]:
    """Replace everything by a document; returns which secrets are lost (``table id``). Raises a 400.

    Scripts are killed, faults and the request log cleared, as by a reset; options stay.
    """
    rows = _checked(world, document)
    secrets = _known_secrets(world)
    await world.scripts.kill_all()
    lost: list[str] = []
    try:
        with world.store.transaction():
            for name in world.store.tables():
                world.store.run(f'DELETE FROM "{name}"')
            for name, entries in rows.items():
                for entry in entries:
                    values = {column: _stored(name, entry, column, world, secrets, lost) for column in entry}
                    columns, marks = ", ".join(f'"{column}"' for column in values), ", ".join("?" * len(values))
                    world.store.run(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', *values.values())
            if world.store.meta("schema") != world.store.schema:
                world.store.set_meta("schema", world.store.schema)
            if not world.store.meta("seeded"):
                world.store.set_meta("seeded", True)
    except (sqlite3.Error, UnicodeEncodeError) as error:  # the latter: half a surrogate pair, which UTF-8 cannot carry
        raise refused(400, f"tables: {error}; nothing was changed.") from None
    reset.forget(world)
    clock = document["clock"]
    world.clock.set_mode(clock["mode"])
    world.clock.jump(clock["nowUs"])
    timekeeping.remember(world.clock, world.store)
    automation_tables.interrupt(world)  # what was running when it was exported runs no more
    world.changed("reset")
    return sorted(set(lost))


def _tables(world: World) -> list[str]:
    short_lived = (plugin.tables.short_lived for plugin in world.plugins if plugin.tables)
    never = {*NEVER, *(name for names in short_lived for name in names)}
    return [name for name in world.store.tables() if name not in never]


def _key(world: World) -> bytes:
    return world.store.path.with_suffix(".key").read_bytes()


def _readable(world: World, key: bytes, row: Row) -> dict[str, Any]:
    return {column: _plain(world, key, column, row[column]) for column in row.keys()}  # noqa: SIM118


def _plain(world: World, key: bytes, column: str, value: Any) -> Any:
    if column in HIDDEN:
        return dump.fingerprint(key, value if column == "digest" else world.store.unseal(value))
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            parsed = read_json(value)
        except ValueError:
            return value
        return parsed if json.dumps(parsed) == value else value  # only what comes back the same
    return value


def _stored(
    table: str, entry: dict[str, Any], column: str, world: World, secrets: dict[str, str], lost: list[str]
) -> Any:
    value = entry[column]
    if column in HIDDEN:
        known = secrets.get(str(value)) or secrets.get(f"{table} {entry.get('id')}")
        if known is None:
            lost.append(f"{table} {entry.get('id')}")
            known = digest(token_hex(32)) if column == "digest" else json.dumps(_no_secret(entry))
        return known if column == "digest" else world.store.seal(known)
    return json.dumps(value) if isinstance(value, dict | list) else value


def _no_secret(entry: dict[str, Any]) -> dict[str, str]:
    return {"token": ""} if entry.get("type") == "TOKEN" else {"user": "", "password": ""}


def _known_secrets(world: World) -> dict[str, str]:
    """By fingerprint: what is here now. By table and id: what the seed brings."""
    key, found = _key(world), {}
    for name in _tables(world):
        for row in world.store.all(f'SELECT * FROM "{name}"'):
            for column in set(row.keys()) & set(HIDDEN):
                value = row[column] if column == "digest" else world.store.unseal(row[column])
                found[dump.fingerprint(key, value)] = value
    planted = seed.load(world.plugins)
    for token in (*planted["api_tokens"], *planted["platform_tokens"]):
        found[f"api_tokens {'.'.join(token['token'].split('.')[:2])}"] = digest(token["token"])
    for client in planted["oauth_clients"]:
        found[f"oauth_clients {client['id']}"] = digest(client["secret"])
    for plugin in world.plugins:
        found |= plugin.seed.digests(planted) if plugin.seed else {}
    return found


def _checked(world: World, document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The document's rows by table. Raises a 400 that names the first thing that does not fit."""
    if document.get("format") != FORMAT:
        raise refused(400, f"format: expected '{FORMAT}', as GET /_sim/state gives it.")
    clock = document.get("clock")
    if not isinstance(clock, dict) or clock.get("mode") not in ("running", "frozen", "auto"):
        raise refused(400, "clock: expected {mode, nowUs}.")
    if type(clock.get("nowUs")) is not int:
        raise refused(400, "clock: nowUs is a whole number of microseconds.")
    clock_us(clock["nowUs"])
    rows = document.get("tables")
    known = _tables(world)
    if not isinstance(rows, dict) or (unknown := sorted(set(rows) - set(known))):
        raise refused(400, f"tables: unknown {', '.join(unknown)}." if isinstance(rows, dict) else "tables: missing.")
    for name, entries in rows.items():
        columns = {column["name"] for column in world.store.all(f'PRAGMA table_info("{name}")')}
        if not isinstance(entries, list) or any(not isinstance(entry, dict) for entry in entries):
            raise refused(400, f"tables: {name}: expected a list of rows.")
        if wrong := sorted({column for entry in entries for column in entry} - columns):
            raise refused(400, f"tables: {name}: unknown {', '.join(wrong)}.")
    soundness.check(world, rows)
    return rows
