"""The runs of a connector: each execution of its workflow, with what the run said of itself.

A connector writes one log record a run (``log.source`` below) with its counts in ``connector.*``; a run that was killed
has left none, and one that could not reach log ingest has at best a result.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local_dynatrace.kernel import rfc3339
from local_dynatrace.kernel.clock import MICROSECONDS
from local_dynatrace.kernel.store import Row
from local_dynatrace.kernel.world import World
from local_dynatrace.pages.executions import ALIVE, EXECUTIONS, leg, outcome

SOURCE = "sectigo-scm-connector"
PREFIX = "connector."


@dataclass(frozen=True)
class Run:
    """One execution. Times in microseconds, counts of records."""

    id: str
    state: str
    started_us: int
    ended_us: int | None
    trigger: str
    leg: int
    said: str
    """``caught up``, ``more waiting``, ``skipped`` or ``failed``; empty: nothing was said."""
    line: str
    """What happened, in one line."""
    pages: int
    fetched: int
    sent: int
    repeated: int
    clamped: int
    retries: int
    covered_us: int | None
    """Everything up to here is in the logs."""

    @property
    def href(self) -> str:
        return f"{EXECUTIONS}/{self.id}"

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def kind(self) -> str:
        """How it is drawn: ``busy``, ``good``, ``skipped``, ``bad``."""
        if self.alive:
            return "busy"
        if self.state != "SUCCESS" or self.said == "failed":
            return "bad"
        return "skipped" if self.said == "skipped" else "good"

    @property
    def word(self) -> str:
        if self.alive:
            return "Running"
        if self.said == "failed" or (self.state == "SUCCESS" and self.said):
            return self.said.capitalize()
        return {"SUCCESS": "Done", "CANCELLED": "Cancelled"}.get(self.state, "Died")


def runs(world: World, workflow: str, since_us: int) -> list[Run]:
    """All runs that ended since then or are alive, oldest first."""
    told = records(world, workflow, since_us)
    found = world.store.all(
        "SELECT * FROM executions WHERE workflow = ? AND (ended_us IS NULL OR ended_us >= ?)"
        " ORDER BY started_us, number",
        workflow, since_us,
    )  # fmt: skip
    return [run(world, each, told.get(each["id"])) for each in found]


def records(world: World, workflow: str, since_us: int) -> dict[str, tuple[int, dict[str, Any]]]:
    """Execution id -> (time of the record, its ``connector.*`` members); what is not visible yet is left out."""
    found = world.store.all(
        "SELECT timestamp_us, attributes FROM logs WHERE source = ? AND timestamp_us >= ? AND visible_us <= ?"
        " ORDER BY timestamp_us",
        SOURCE, since_us, world.clock.now_us(),
    )  # fmt: skip
    told = {}
    for row in found:
        members = json.loads(row["attributes"])
        mine = {key.removeprefix(PREFIX): value for key, value in members.items() if key.startswith(PREFIX)}
        if mine.get("workflow") == workflow:
            told[str(mine.get("executionId"))] = (row["timestamp_us"], mine)
    return told


def last_covered_us(world: World, workflow: str, before_us: int) -> int | None:
    """How far the logs reached before then."""
    row = world.store.one(
        "SELECT timestamp_us, attributes FROM logs WHERE source = ? AND timestamp_us < ?"
        " AND json_extract(attributes, '$.\"connector.workflow\"') = ?"
        " AND json_extract(attributes, '$.\"connector.lagSeconds\"') IS NOT NULL ORDER BY timestamp_us DESC LIMIT 1",
        SOURCE, before_us, workflow,
    )  # fmt: skip
    if row is None:
        return None
    members = json.loads(row["attributes"])
    return covered_us({key.removeprefix(PREFIX): value for key, value in members.items()}, row["timestamp_us"])


def run(world: World, execution: Row, told: tuple[int, dict[str, Any]] | None) -> Run:
    at_us, said = told or (execution["ended_us"] or execution["started_us"], result(world, execution["id"]))
    return Run(
        id=execution["id"],
        state=execution["state"],
        started_us=execution["started_us"],
        ended_us=execution["ended_us"],
        trigger=execution["trigger_type"],
        leg=leg(execution),
        said=str(said.get("outcome") or ""),
        line=str(said.get("reason") or "") or outcome(world, execution),
        pages=count(said, "pages"),
        fetched=count(said, "fetched"),
        sent=count(said, "sent"),
        repeated=count(said, "repeated"),
        clamped=count(said, "clamped"),
        retries=count(said, "retries"),
        covered_us=covered_us(said, at_us),
    )


def result(world: World, execution: str) -> dict[str, Any]:
    """The run's result, which is the same summary."""
    row = world.store.one(
        "SELECT result FROM task_executions WHERE execution = ? AND result IS NOT NULL LIMIT 1", execution
    )
    found = json.loads(row["result"]) if row else None
    return found if isinstance(found, dict) else {}


def covered_us(said: dict[str, Any], at_us: int) -> int | None:
    try:
        return moment_us(said.get("coveredTo")) or at_us - int(float(said["lagSeconds"]) * MICROSECONDS)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def moment_us(value: Any) -> int | None:
    try:
        return rfc3339.parse_ns(value) // 1000
    except (TypeError, ValueError):
        return None


def count(said: dict[str, Any], name: str) -> int:
    text = str(said.get(name, ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
