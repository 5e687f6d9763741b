"""A local environment that is killed while many write: what it acknowledged must be there afterwards.

Used in short form by ``test_crash`` and at length by ``soak/simulator.py``.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import requests

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, SERVICE_USER, Headers, bearer
from local_dynatrace.testing.flows import READ, RUN, WRITE, body, get

WRITERS = 6


@dataclass
class Acknowledged:
    """What was answered with success, by kind."""

    credentials: dict[str, str] = field(default_factory=dict)
    """Name by id, of the last acknowledged write."""
    workflows: dict[str, str] = field(default_factory=dict)
    executions: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    """Ids whose last write was cut: either state is right."""

    def count(self) -> int:
        return len(self.credentials) + len(self.workflows) + len(self.executions) + len(self.records)


def write(local: Local, number: int, rng: random.Random, known: Acknowledged, platform: Headers) -> None:
    """Write until the connection breaks."""
    session = requests.Session()
    session.trust_env = False
    base, flows = f"{local.url}/api/v2", f"{local.url}/platform/automation/v1/workflows"
    mine: list[str] = []
    turn, writing = 0, ""
    try:
        while True:
            turn += 1
            name, what = f"{number}/{turn}", rng.randrange(4)
            if what == 0 or (what == 1 and not mine):
                entry = {"name": name, "type": "TOKEN", "token": "value", "scopes": ["APP_ENGINE"]}
                made = answered(session.post(f"{base}/credentials", json=entry, headers=DEPLOY, timeout=20), 201)
                known.credentials[made["id"]] = name
                mine.append(made["id"])
            elif what == 1:
                writing = rng.choice(mine)
                entry = {"name": name, "type": "TOKEN", "token": name, "scopes": ["APP_ENGINE"]}
                answered(session.put(f"{base}/credentials/{writing}", json=entry, headers=DEPLOY, timeout=20), 204)
                known.credentials[writing], writing = name, ""
            elif what == 2:
                record = {"content": name, "log.source": "crash", "loglevel": "INFO"}
                answered(session.post(f"{base}/logs/ingest", json=[record], headers=DEPLOY, timeout=20), 204)
                known.records.add(name)
            else:
                made = answered(session.post(flows, json=body(title=name), headers=platform, timeout=20), 201)
                known.workflows[made["id"]] = name
                run = session.post(f"{flows}/{made['id']}/run", json={}, headers=platform, timeout=20)
                known.executions.add(answered(run, 201)["id"])
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        known.unsure.add(writing)


def answered(answer: requests.Response, status: int) -> Any:
    assert answer.status_code == status, (
        f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:200]}"
    )
    return answer.json() if answer.content else None


def kill_and_look(local: Local, seed: int) -> int:
    """One round: write, kill -9 at a random point, restart, compare. Returns how many writes were acknowledged."""
    rng, known = random.Random(seed), Acknowledged()
    platform = bearer(local, READ, WRITE, RUN, user=SERVICE_USER["email"])
    writers = [
        threading.Thread(target=write, args=(local, number, random.Random(f"{seed}/{number}"), known, platform))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    enough = rng.randrange(20, 120)
    while known.count() < enough and any(writer.is_alive() for writer in writers):
        writers[0].join(0.001)
    local.stop(signal.SIGKILL)
    for writer in writers:
        writer.join()
    local.start()
    compare(local, known)
    return known.count()


def compare(local: Local, known: Acknowledged) -> None:
    """Everything acknowledged is there, as last acknowledged; nothing runs that nobody runs."""
    dump = local.sim("GET", "dump", all="true")
    names = {row["id"]: row["name"] for row in dump["credentials"]}
    wrong = {id for id, name in known.credentials.items() if names.get(id) != name} - known.unsure
    assert not wrong, f"credentials lost or old: {sorted(wrong)}"
    assert known.credentials.keys() <= names.keys()
    titles = {row["id"]: row["title"] for row in dump["workflows"]}
    assert known.workflows.items() <= titles.items(), "workflows lost"
    states = {row["id"]: row["state"] for row in dump["executions"]}
    assert known.executions <= states.keys(), "executions lost"
    assert "RUNNING" not in states.values()
    assert known.records <= {row["content"] for row in dump["logs"]}, "log records lost"
    with closing(sqlite3.connect(local.folder / "local-dynatrace.sqlite")) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    headers = bearer(local, READ, user=SERVICE_USER["email"])
    assert get(local, headers, "workflows", limit=1)["count"] >= len(known.workflows)
