"""Running queries: each has a thread and a read-only connection, so a slow one does not block other requests.

A query is compiled, and its time fixed, when the request arrives; the thread only reads and computes. Queries that are
polled are rows of a table until ``TTL_S`` has passed.
"""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

from ..kernel.clock import MICROSECONDS
from ..kernel.rows import RowChecks, an_object
from ..kernel.store import Row, Store
from ..kernel.world import World
from . import dql, result

TTL_S = 400
"""How long a result can be fetched."""
PATIENCE_MS = 10
"""A caller who waits no longer than this gets a request token, whatever the query; it starts with the first poll."""
LOOK_EVERY = 1_000
"""After how many steps SQLite checks whether its query has been cancelled; about fifty records."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS grail_queries (
    token TEXT PRIMARY KEY, user TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
    result TEXT, started_us INTEGER NOT NULL);
"""
State = Literal["RUNNING", "SUCCEEDED", "CANCELLED"]
Found = tuple[State, dict[str, Any] | None]


@dataclass(frozen=True)
class Request:
    query: str
    from_us: int | None = None
    to_us: int | None = None
    max_records: int = dql.MAX_RECORDS


def a_request(entry: dict[str, Any], value: Any) -> None:
    kinds = (str, int | None, int | None, int)
    if not isinstance(value, list) or [isinstance(*each) for each in zip(value, kinds, strict=False)] != [True] * 4:
        raise ValueError("expected query, from, to and limit")


ROW_CHECKS = RowChecks({("grail_queries", "request"): a_request, ("grail_queries", "result"): an_object})


def prepare(world: World, request: Request) -> dql.Prepared:
    """The query as of now. Raises DqlError."""
    now_us = world.clock.now_us()
    return dql.prepare(
        request.query, now_us, default_from_us=request.from_us, default_to_us=request.to_us,
        data_objects=world.data_objects,
    )  # fmt: skip


async def answer(
    store: Store, prepared: dql.Prepared, max_records: int, beginnings: dql.Beginnings | None = None
) -> dql.Result:
    """Run a query in a thread. Cancelling this coroutine stops the thread's work."""
    stopped = threading.Event()

    def work() -> dql.Result:
        with closing(store.reader()) as db:
            db.set_progress_handler(stopped.is_set, LOOK_EVERY)
            return prepared.run(db, max_records, beginnings)

    try:
        return await asyncio.to_thread(work)
    finally:
        stopped.set()


Run = asyncio.Task[dict[str, Any]]
_polled: WeakKeyDictionary[Store, dict[str, Run]] = WeakKeyDictionary()
"""What is running for a request token."""


def launch(world: World, request: Request) -> Run:
    """Start a query; the task's result is the one for the wire. Raises DqlError."""
    prepared, id = prepare(world, request), world.ids.uuid()

    async def carry() -> dict[str, Any]:
        return result.wire(await answer(world.store, prepared, request.max_records), id)

    return asyncio.get_running_loop().create_task(carry())


async def within(run: Run, patience_ms: int) -> dict[str, Any] | None:
    """The result; None if it takes longer than this in real time, whatever the environment's clock does."""
    await asyncio.wait({run}, timeout=patience_ms / 1000)
    return run.result() if run.done() and not run.cancelled() else None


def keep(world: World, user: str, request: Request, run: Run | None = None) -> str:
    """Note a query that will be polled, running or not started yet; its request token. Raises DqlError."""
    prepare(world, request)
    now = world.clock.now_us()
    world.store.run("DELETE FROM grail_queries WHERE started_us < ?", now - TTL_S * MICROSECONDS)
    token = world.ids.uuid()
    values = json.dumps([request.query, request.from_us, request.to_us, request.max_records])
    world.store.run("INSERT INTO grail_queries VALUES (?, ?, ?, 'RUNNING', NULL, ?)", token, user, values, now)
    if run:
        _follow(world, token, run)
    return token


async def poll(world: World, user: str, token: str, patience_ms: int) -> Found | None:
    """State and result. None for a token that is unknown, another user's, or too old."""
    row = _row(world, user, token)
    if row is None or row["started_us"] + TTL_S * MICROSECONDS <= world.clock.now_us():
        return None
    if row["state"] == "RUNNING":
        run = _polled.get(world.store, {}).get(token)
        if run is None:  # not started yet, or by a process that has ended
            with world.store.transaction():
                run = launch(world, Request(*json.loads(row["request"])))
            _follow(world, token, run)
        await within(run, patience_ms)
        row = _row(world, user, token)
    return _found(row)


def cancel(world: World, user: str, token: str) -> Found | None:
    """Stop a running query; a finished one keeps its result, which is returned."""
    row = _row(world, user, token)
    if row is None or row["state"] != "RUNNING":
        return _found(row)
    world.store.run("UPDATE grail_queries SET state = 'CANCELLED' WHERE token = ?", token)
    if run := _polled.get(world.store, {}).get(token):
        run.cancel()
    return "CANCELLED", None


def _row(world: World, user: str, token: str) -> Row | None:
    return world.store.one("SELECT * FROM grail_queries WHERE token = ? AND user = ?", token, user)


def _found(row: Row | None) -> Found | None:
    if row is None:
        return None
    return row["state"], json.loads(row["result"]) if row["result"] else None


def _follow(world: World, token: str, run: Run) -> None:
    """Keep the result when it is there."""
    runs = _polled.setdefault(world.store, {})
    runs[token] = run

    def ended(run: Run) -> None:
        del runs[token]
        if not run.cancelled():
            world.store.run(
                "UPDATE grail_queries SET state = 'SUCCEEDED', result = ? WHERE token = ? AND state = 'RUNNING'",
                json.dumps(run.result()), token,
            )  # fmt: skip

    run.add_done_callback(ended)
