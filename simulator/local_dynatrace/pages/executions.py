"""What pages show of executions: rows of a table, and one execution with its log and result."""

from __future__ import annotations

import json
import re
from typing import Any

from ..control import causes
from ..kernel.clock import MICROSECONDS
from ..kernel.store import Row
from ..kernel.world import World

EXECUTIONS = "/ui/apps/dynatrace.automations/executions"
WORKFLOWS = "/ui/apps/dynatrace.automations/workflows"
PROBLEMS = "/ui/apps/dynatrace.davis.problems"
ALIVE = ("RUNNING", "PAUSED")
MAX_OUTCOME = 160
MOST_HITS = 20
PAGE = 50
"""Rows on one page."""
KILLED = '"type":"KILLED"'
"""In the text that the runtime gives to a script that was killed (endings.py)."""


def rows(
    world: World, workflow: str | None = None, limit: int = PAGE, before: int | None = None
) -> list[dict[str, Any]]:
    """The newest executions, of one workflow or of all; of older ones those before a number."""
    found = world.store.all(
        "SELECT * FROM executions WHERE (? IS NULL OR workflow = ?) AND (? IS NULL OR number < ?) "
        "ORDER BY number DESC LIMIT ?",
        workflow, workflow, before, before, limit,
    )  # fmt: skip
    return [row(world, each) for each in found]


def row(world: World, execution: Row) -> dict[str, Any]:
    return {
        "id": execution["id"],
        "number": execution["number"],
        "href": f"{EXECUTIONS}/{execution['id']}",
        "title": execution["title"],
        "workflow_href": f"{WORKFLOWS}/{execution['workflow']}",
        "state": execution["state"],
        "started": execution["started_us"],
        "seconds": seconds(world, execution["started_us"], execution["ended_us"]),
        "trigger": execution["trigger_type"],
        "leg": leg(execution),
        "outcome": outcome(world, execution),
    }


def seconds(world: World, started_us: int | None, ended_us: int | None) -> float | None:
    """How long it took, or takes so far."""
    if started_us is None:
        return None
    return max(0, (world.clock.now_us() if ended_us is None else ended_us) - started_us) / MICROSECONDS


def leg(execution: Row) -> int:
    """Which run of its chain this is. A workflow that starts itself again counts them in its input (``leg``); the first
    run, and one that belongs to no chain, is number 1."""
    given = json.loads(execution["input"])
    number = given.get("leg") if isinstance(given, dict) else None
    return number if type(number) is int and number > 0 else 1


def outcome(world: World, execution: Row) -> str:
    """One line: why it failed, or the numbers its result holds."""
    if execution["state"] not in (*ALIVE, "SUCCESS"):
        failed = world.store.one(
            "SELECT state_info FROM task_executions WHERE execution = ? AND state_info IS NOT NULL LIMIT 1",
            execution["id"],
        )
        told = execution["state_info"] or (failed["state_info"] if failed else "") or ""
        return short(reason(told) if KILLED not in told else killed(world, execution["id"]))
    results = world.store.all(
        "SELECT result FROM task_executions WHERE execution = ? AND result IS NOT NULL ORDER BY number", execution["id"]
    )
    return short(" · ".join(numbers(json.loads(each["result"])) for each in results))


def killed(world: World, id: str) -> str:
    """Who killed a script: a fault rule, or somebody by hand."""
    rule = causes.killer(world, id)
    return f"Killed by {rule}" if rule else "Killed on the page of the run, or through the control API"


def numbers(result: Any) -> str:
    """The counts of a result object, in its own order: ``pages 2 · fetched 130 · sent 130``."""
    if not isinstance(result, dict):
        return "" if result is None else short(json.dumps(result, ensure_ascii=False))
    counts = [f"{key} {value}" for key, value in result.items() if type(value) is int and key != "leg"]
    return " · ".join(counts[:6])


def reason(state_info: str) -> str:
    """What the script itself said, out of the platform's ``An error occurred: {"code": 540, …}``."""
    try:
        crash = json.loads(state_info.partition(": ")[2])
        return str(crash["details"].get("message") or crash["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return state_info


def short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_OUTCOME else line[: MAX_OUTCOME - 1] + "…"


def running(found: list[dict[str, Any]]) -> bool:
    return any(each["state"] in ALIVE for each in found)


def one(world: World, id: str, task: str | None) -> dict[str, Any] | None:
    """An execution with its tasks, and the log and result of one of them (the first, unless named)."""
    execution = world.store.one("SELECT * FROM executions WHERE id = ?", id)
    if execution is None:
        return None
    hit, told = causes.hits(world, id), execution["state_info"] or ""
    tasks = world.store.all("SELECT * FROM task_executions WHERE execution = ? ORDER BY number", id)
    chosen = next((each for each in tasks if each["name"] == task), tasks[0] if tasks else None)
    return {
        **row(world, execution),
        "hits": [
            {
                "number": line.number,
                "at": line.at_us,
                "request": f"{line.method} {line.path}",
                "effect": f"{causes.by_rule(world, line)} {line.fault_effect}",
            }
            for line in hit[-MOST_HITS:]
        ],
        "row": execution,
        "reason": killed(world, id) if KILLED in told else reason(told),
        "state_info": execution["state_info"],
        "ended": execution["ended_us"],
        "user": name_of(world, execution["user"]),
        "problem": problem(json.loads(execution["params"]).get("event")),
        "actor": name_of(world, execution["actor"]),
        "version": execution["workflow_version"],
        "draft": bool(execution["is_draft"]),
        "input": json.loads(execution["input"]),
        "qualifier": execution["unique_qualifier"],
        "tasks": [
            {
                "name": each["name"],
                "state": each["state"],
                "seconds": seconds(world, each["started_us"], each["ended_us"]),
                "href": f"{EXECUTIONS}/{id}?task={each['name']}",
                "chosen": each is chosen,
            }
            for each in tasks
        ],
        "task": {
            "name": chosen["name"],
            "state_info": chosen["state_info"],
            "result": json.loads(chosen["result"]) if chosen["result"] is not None else None,
            "log": log(world, id, chosen["name"]),
        }
        if chosen
        else None,
    }


def problem(event: Any) -> tuple[str, str] | None:
    """Name and page of the problem that started an execution."""
    if not isinstance(event, dict) or not event.get("event.id"):
        return None
    return str(event.get("display_id") or "a problem"), f"{PROBLEMS}/problem/{event['event.id']}"


def name_of(world: World, user: str | None) -> str | None:
    """A user's name and not its UUID."""
    found = world.identity.user(user) if user else None
    return str(found["name"]) if found else user


LINE_KINDS = (
    ("bad", re.compile(r"✗|❌|\bERROR\b|^\s*(Uncaught )?[A-Z]\w*Error\b|\bfailed\b", re.IGNORECASE)),
    ("warn", re.compile(r"⚠|\bWARN(ING)?\b", re.IGNORECASE)),
    ("good", re.compile(r"✓|✅")),
    ("strong", re.compile(r"^\s*===")),
)


def log(world: World, execution: str, task: str) -> list[dict[str, str]]:
    """The log of a task, line by line, each with how it is to be shown."""
    parts = world.store.all(
        "SELECT text FROM execution_logs WHERE execution = ? AND task = ? ORDER BY number", execution, task
    )
    lines = "\n".join(part["text"].rstrip("\n") for part in parts).split("\n") if parts else []
    return [{"text": line, "kind": kind(line)} for line in lines]


def kind(line: str) -> str:
    return next((name for name, pattern in LINE_KINDS if pattern.search(line)), "")
