"""The process: starting, stopping, restarting, and what is said when that does not work."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.kernel.clock import iso
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, bearer

from . import ROOT

pytestmark = pytest.mark.slow


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local_dynatrace", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Local]:
    """A local environment of this one test."""
    local = Local(tmp_path)
    yield local
    local.close()


def restart(local: Local, how: int = signal.SIGTERM, **changed: Any) -> None:
    local.stop(how)
    for key, value in changed.items():
        setattr(local, key, value)
    local.start()


def start_endless_script(local: Local) -> str:
    caller = bearer(local, "automation:workflows:write", "automation:workflows:run")
    script = "export default async function () { for (;;) await new Promise((done) => setTimeout(done, 1000)); }"
    action = "dynatrace.automations:run-javascript"
    task = {"name": "run", "action": action, "input": {"script": script}, "position": {"x": 0, "y": 1}}
    body = {"title": "Endless", "tasks": {"run": task}}
    made = local.call("POST", "/platform/automation/v1/workflows", json=body, headers=caller).json()
    started = local.call("POST", f"/platform/automation/v1/workflows/{made['id']}/run", json={}, headers=caller)
    return str(started.json()["id"])


def test_a_port_in_use_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = command("serve", "--port", str(port), "--state", str(tmp_path / "s.sqlite"))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"error: port {port} is in use")
    assert ended.stderr.count("\n") == 1


def test_a_state_in_use_is_refused(own: Local) -> None:
    ended = command("serve", "--port", "0", "--state", str(own.folder / "local-dynatrace.sqlite"))

    assert ended.returncode == 1
    assert "is in use by a running local environment" in ended.stderr
    assert own.sim("GET", "health")["status"] == "ready"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--set", "scm_pagesize=7"], "scm_pagesize"),
        (["--set", "scm_page_size"], "KEY=JSON"),
        (["--set", "old_records=keep"], "old_records"),
        (["--port", "70000"], "70000"),
        (["--clock", "slow"], "slow"),
    ],
)
def test_a_wrong_argument_is_named_without_a_traceback(tmp_path: Path, words: list[str], named: str) -> None:
    ended = command("serve", "--state", str(tmp_path / "s.sqlite"), *words)

    assert ended.returncode == 2
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_state_of_another_version_is_refused_with_what_to_do(own: Local) -> None:
    own.stop()
    state = own.folder / "local-dynatrace.sqlite"
    with closing(sqlite3.connect(state)) as store, store:
        store.execute("DROP INDEX workflows_next")
        store.execute("ALTER TABLE workflows DROP COLUMN next_us")
    broken = command("serve", "--port", "0", "--state", str(state))
    with closing(sqlite3.connect(state)) as store, store:
        store.execute("ALTER TABLE workflows ADD COLUMN next_us INTEGER")
        store.execute("UPDATE kernel_meta SET value = '\"another\"' WHERE key = 'schema'")
    other = command("serve", "--port", "0", "--state", str(state))

    for ended in (broken, other):
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "was made by another version of the local environment: delete it" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_it_listens_on_the_loopback_address_only(own: Local) -> None:
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = {words[1] for words in listening if int(words[1].split(":")[1], 16) == own.port and words[3] == "0A"}

    assert mine == {f"0100007F:{own.port:04X}"}


def test_a_restart_keeps_state_clock_and_ids(own: Local) -> None:
    entry = {"name": "Kept", "type": "TOKEN", "token": "value", "scopes": ["APP_ENGINE"]}
    first = own.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).json()["id"]
    own.sim("POST", "clock", {"step": 600})
    before = own.sim("GET", "dump", all="true")

    restart(own)

    assert own.sim("GET", "dump", all="true") == before
    assert own.sim("GET", "clock")["now"] == "2026-01-29T10:10:00.000Z"
    assert own.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).json()["id"] != first


def test_an_acknowledged_write_survives_being_killed(own: Local) -> None:
    entry = {"name": "Kept", "type": "TOKEN", "token": "value", "scopes": ["APP_ENGINE"]}
    made = own.call("POST", "/api/v2/credentials", json=entry, headers=DEPLOY).json()["id"]

    restart(own, signal.SIGKILL)

    assert own.call("GET", f"/api/v2/credentials/{made}", headers=DEPLOY).status_code == 200


def test_a_clock_that_stood_runs_on_from_there_when_asked_to(own: Local) -> None:
    own.sim("POST", "clock", {"jump": "2027-05-01T00:00:00Z"})

    restart(own, clock="running")

    clock = own.sim("GET", "clock")
    assert clock["mode"] == "running"
    assert clock["now"].startswith("2027-05-01T00:00:")


def test_a_running_clock_keeps_its_shift_over_a_restart(tmp_path: Path) -> None:
    local = Local(tmp_path, clock="running")
    try:
        before = local.sim("POST", "clock", {"step": 86_400})["nowUs"]
        restart(local)
        after = local.sim("GET", "clock")["nowUs"]
    finally:
        local.close()

    assert before <= after < before + 60_000_000, (iso(before), iso(after))


def test_the_same_seed_gives_the_same_ids_and_records(tmp_path: Path) -> None:
    dumps = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        local = Local(tmp_path / name, clock="frozen", scm_stream=True, scm_history_hours=2.0)
        try:
            records = local.sim("GET", "scm/records")
            dumps.append((local.sim("GET", "dump")["credentials"][0]["id"], records))
        finally:
            local.close()

    assert dumps[0] == dumps[1]
    assert dumps[0][1]["total"] > 0


def test_sigterm_ends_it_with_open_connections_and_running_scripts(own: Local) -> None:
    own.sim("POST", "clock", {"mode": "frozen"})
    execution = start_endless_script(own)
    own.sim("POST", f"executions/{execution}/freeze")
    own.sim("POST", "faults", {"api": "tokens", "delay_s": 1000})
    head = f"POST /api/v2/apiTokens/lookup HTTP/1.1\r\nHost: 127.0.0.1:{own.port}\r\nContent-Length: 0\r\n\r\n"
    address = ("127.0.0.1", own.port)
    with socket.create_connection(address) as waiting, socket.create_connection(address):
        waiting.sendall(head.encode())
        own.sim("GET", "health")
        own.stop()

    assert own.process.returncode == 0
    own.start()
    rows = own.sim("GET", "dump", all="true")["executions"]
    assert [row["state"] for row in rows if row["id"] == execution] == ["ERROR"]


def test_start_status_and_stop_in_the_background(tmp_path: Path) -> None:
    state = str(tmp_path / "s.sqlite")
    assert command("status", "--state", state).returncode == 3

    started = command("start", "--state", state, "--port", "0", "--clock", "frozen", "--set", "scm_stream=false")
    try:
        assert started.returncode == 0, started.stderr
        assert started.stdout.startswith("local environment ready at http://127.0.0.1:")
        again = command("start", "--state", state)
        assert again.returncode == 0
        assert again.stdout.startswith("local environment already runs at http://127.0.0.1:")
        elsewhere = command("start", "--state", state, "--port", "1")
        assert (elsewhere.returncode, elsewhere.stdout) == (1, "")
        status = command("status", "--state", state)
        assert status.returncode == 0
        assert "clock frozen at 2026-01-29T10:00:00.000Z" in status.stdout
    finally:
        stopped = command("stop", "--state", state)
    assert stopped.returncode == 0
    assert "stopped; its state is kept" in stopped.stdout
    assert command("stop", "--state", state).stdout == "no local environment is running\n"
    assert all(len(each.stdout.splitlines()) == 1 for each in (started, again, status, stopped))


def test_a_start_in_the_background_that_fails_says_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = command("start", "--port", str(port), "--state", str(tmp_path / "s.sqlite"))

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: port {port} is in use")


def test_nothing_is_printed_but_the_ready_line(own: Local) -> None:
    own.call("GET", "/")
    own.process.terminate()
    assert own.process.stdout is not None

    printed = own.process.stdout.read()
    own.stop()

    assert printed == ""
    assert (own.folder / "local-dynatrace.log").read_text() == ""
