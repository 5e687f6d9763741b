"""Queries that their caller polls: started, finished, cancelled, forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from ..kernel.clock import MICROSECONDS
from ..kernel.world import World
from . import dql, result

TTL_S = 400
"""How long a result can be fetched."""
PATIENCE_MS = 10
"""A caller who waits no longer than this gets a request token, whatever the query."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS grail_queries (
    token TEXT PRIMARY KEY, user TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
    result TEXT, started_us INTEGER NOT NULL);
"""
State = Literal["RUNNING", "SUCCEEDED", "CANCELLED"]


@dataclass(frozen=True)
class Request:
    query: str
    from_us: int | None = None
    to_us: int | None = None
    max_records: int = dql.MAX_RECORDS


def run(world: World, request: Request) -> dict[str, Any]:
    """Execute now; the result for the wire. Raises DqlError."""
    found = dql.execute(
        world,
        request.query,
        default_from_us=request.from_us,
        default_to_us=request.to_us,
        max_records=request.max_records,
    )
    return result.wire(found, world.ids.uuid())


def start(world: World, user: str, request: Request) -> str:
    """Check a query and keep it for the first poll; its request token. Raises DqlError."""
    dql.check(world, request.query)
    now = world.clock.now_us()
    world.store.run("DELETE FROM grail_queries WHERE started_us < ?", now - TTL_S * MICROSECONDS)
    token = world.ids.uuid()
    values = json.dumps([request.query, request.from_us, request.to_us, request.max_records])
    world.store.run("INSERT INTO grail_queries VALUES (?, ?, ?, 'RUNNING', NULL, ?)", token, user, values, now)
    return token


def poll(world: World, user: str, token: str) -> tuple[State, dict[str, Any] | None] | None:
    """State and result; the query runs when first asked for. None for a token that is not this user's (any more)."""
    row = world.store.one("SELECT * FROM grail_queries WHERE token = ? AND user = ?", token, user)
    if row is None or row["started_us"] + TTL_S * MICROSECONDS <= world.clock.now_us():
        return None
    if row["state"] != "RUNNING":
        return row["state"], json.loads(row["result"]) if row["result"] else None
    found = run(world, Request(*json.loads(row["request"])))
    world.store.run(
        "UPDATE grail_queries SET state = 'SUCCEEDED', result = ? WHERE token = ?", json.dumps(found), token
    )
    return "SUCCEEDED", found


def cancel(world: World, user: str, token: str) -> tuple[State, dict[str, Any] | None] | None:
    """Stop a running query; a finished one keeps its result, which is returned."""
    row = world.store.one("SELECT * FROM grail_queries WHERE token = ? AND user = ?", token, user)
    if row is None:
        return None
    if row["state"] == "RUNNING":
        world.store.run("UPDATE grail_queries SET state = 'CANCELLED' WHERE token = ?", token)
        return "CANCELLED", None
    return row["state"], json.loads(row["result"]) if row["result"] else None
