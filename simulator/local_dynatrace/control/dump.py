"""All state as JSON, to read and to compare: equal dumps mean equal states.

Secrets appear as keyed fingerprints: whether one has changed shows, what it is does not.
"""

from __future__ import annotations

import hmac
import json
from typing import Any

from ..kernel.nesting import read_json
from ..kernel.store import Row
from ..kernel.world import World

NEVER = ("kernel_meta", "bearer_tokens")
"""The kernel's own bookkeeping (clock, position of ids) and short-lived tokens."""
TRACES = (
    "executions", "task_executions", "action_executions", "execution_logs",
    "logs", "settings_outbound_history", "workflow_history", "messages",
    "davis_detectors", "davis_detector_status", "davis_events",
)  # fmt: skip
"""Tables that use fills; only with ``everything``."""
TOUCHED = ("number", "revision", "modified_us", "modified_by", "author", "last_used_us", "next_us")
"""Who changed an object last and when, and what changes with time; only with ``everything``."""


def dump(world: World, everything: bool) -> dict[str, list[dict[str, Any]]]:
    """Rows by table; tables and rows in a stable order."""
    key = world.store.path.with_suffix(".key").read_bytes()
    added = [plugin.tables for plugin in world.plugins if plugin.tables]
    never = {*NEVER, *(name for tables in added for name in tables.short_lived)}
    traces = {*TRACES, *(name for tables in added for name in tables.traces)}
    found = {}
    for name in world.store.tables():
        if name in never or (name in traces and not everything):
            continue
        rows = [readable(world, key, row, everything) for row in world.store.all(f'SELECT * FROM "{name}"')]
        found[name] = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
    return found


def readable(world: World, key: bytes, row: Row, everything: bool) -> dict[str, Any]:
    columns = sorted(column for column in row.keys() if everything or column not in TOUCHED)  # noqa: SIM118
    return {column: plain(world, key, column, row[column]) for column in columns}


def plain(world: World, key: bytes, column: str, value: Any) -> Any:
    """JSON columns as JSON, sealed and digested ones as fingerprints."""
    if not isinstance(value, str):
        return value
    if column == "digest":
        return fingerprint(key, value)
    if value.startswith("gAAAA"):  # what Store.seal makes: a Fernet token, different each time for the same secret
        return fingerprint(key, world.store.unseal(value))
    if value[:1] in ("{", "["):
        try:
            return read_json(value)
        except ValueError:
            return value
    return value


def fingerprint(key: bytes, secret: str) -> str:
    return "secret:" + hmac.new(key, secret.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:12]
