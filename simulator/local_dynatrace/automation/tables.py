"""The tables of the automation API, and what a restart does to runs that were under way."""

from __future__ import annotations

from ..kernel.world import World
from . import history, messages

SCHEMA = """
CREATE TABLE IF NOT EXISTS workflows (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, definition TEXT NOT NULL,
    owner TEXT NOT NULL, actor TEXT NOT NULL, version INTEGER NOT NULL,
    created_by TEXT NOT NULL, created_us INTEGER NOT NULL, modified_by TEXT NOT NULL, modified_us INTEGER NOT NULL,
    anchor_us INTEGER, next_us INTEGER, skipped_us INTEGER, counted_from INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS workflows_next ON workflows (next_us);
CREATE TABLE IF NOT EXISTS executions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, title TEXT NOT NULL,
    state TEXT NOT NULL, state_info TEXT, started_us INTEGER NOT NULL, ended_us INTEGER,
    trigger_type TEXT NOT NULL, user TEXT, actor TEXT NOT NULL, input TEXT NOT NULL, params TEXT NOT NULL,
    result TEXT, workflow_version INTEGER NOT NULL, workflow_type TEXT NOT NULL, is_draft INTEGER NOT NULL,
    unique_qualifier TEXT, UNIQUE (workflow, unique_qualifier));
CREATE INDEX IF NOT EXISTS executions_workflow ON executions (workflow, started_us);
CREATE INDEX IF NOT EXISTS executions_state ON executions (state);
CREATE TABLE IF NOT EXISTS task_executions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, execution TEXT NOT NULL, name TEXT NOT NULL,
    state TEXT NOT NULL, state_info TEXT, started_us INTEGER, ended_us INTEGER, result TEXT,
    definition TEXT NOT NULL, UNIQUE (execution, name));
CREATE TABLE IF NOT EXISTS action_executions (
    id TEXT PRIMARY KEY, task_execution TEXT NOT NULL, execution TEXT NOT NULL, action TEXT NOT NULL,
    state TEXT NOT NULL, state_info TEXT, started_us INTEGER NOT NULL, ended_us INTEGER, result TEXT);
CREATE INDEX IF NOT EXISTS action_executions_task ON action_executions (task_execution);
CREATE TABLE IF NOT EXISTS execution_logs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, execution TEXT NOT NULL, task TEXT NOT NULL,
    at_us INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS execution_logs_execution ON execution_logs (execution, number);
"""

INTERRUPTED = "The local environment was stopped while this was running."


def setup(world: World) -> None:
    world.store.create(SCHEMA)
    world.store.create(history.SCHEMA)
    world.store.create(messages.SCHEMA)
    interrupt(world)


def interrupt(world: World) -> None:
    """No script outlives its process: whatever the last process left running has failed."""
    now = world.clock.now_us()
    with world.store.transaction():
        for table, states in (
            ("action_executions", "('RUNNING')"),
            ("task_executions", "('RUNNING', 'IDLE')"),
            ("executions", "('RUNNING')"),
        ):
            # A cancelled execution's script may have been running too: its task ends, the execution stays cancelled.
            world.store.run(
                f"UPDATE {table} SET state = 'ERROR', state_info = ?, ended_us = ? WHERE state IN {states}",
                INTERRUPTED, now,
            )  # fmt: skip
