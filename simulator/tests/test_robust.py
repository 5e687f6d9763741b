"""Large bodies, many connections, other web sites, broken HTTP: what a server on everybody's port must stand."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY
from local_dynatrace.testing.flows import author, get

JSON = {"Content-Type": "application/json"}
ENTRY = {"name": "Kept", "type": "TOKEN", "token": "value", "scopes": ["APP_ENGINE"]}


def padded(size: int) -> bytes:
    """A log record whose body has exactly this many bytes."""
    empty = json.dumps({"loglevel": "INFO", "content": ""}).encode()
    return empty.replace(b'"content": ""', b'"content": "' + b"x" * (size - len(empty)) + b'"')


def test_ten_megabytes_are_taken_and_one_byte_more_is_refused(local: Local) -> None:
    limit = 10 * 1024 * 1024
    taken = local.call("POST", "/api/v2/logs/ingest", headers={**DEPLOY, **JSON}, data=padded(limit))
    refused = local.call("POST", "/api/v2/logs/ingest", headers={**DEPLOY, **JSON}, data=padded(limit + 1))

    assert (taken.status_code, refused.status_code) == (204, 413)


@pytest.mark.parametrize("path", ["/api/v2/credentials", "/api/v2/settings/objects"])
def test_a_configuration_call_takes_one_megabyte(local: Local, path: str) -> None:
    body = json.dumps([{"padding": "x" * 1024 * 1024}]).encode()

    assert local.call("POST", path, headers={**DEPLOY, **JSON}, data=body).status_code == 413


def test_a_script_of_five_megabytes_is_kept(local: Local) -> None:
    headers = author(local)
    script = "export default () => 1; //" + "x" * 5_000_000
    task = {"action": "dynatrace.automations:run-javascript", "input": {"script": script}}
    made = local.call(
        "POST", "/platform/automation/v1/workflows", headers=headers, json={"title": "Big", "tasks": {"main": task}}
    )

    assert made.status_code == 201
    assert get(local, headers, f"workflows/{made.json()['id']}")["tasks"]["main"]["input"]["script"] == script


def test_a_body_beyond_every_limit_is_refused_and_the_server_lives(local: Local) -> None:
    answer = local.call("POST", "/api/v2/logs/ingest", headers={**DEPLOY, **JSON}, data=b"x" * (33 * 1024 * 1024))

    assert answer.status_code == 413
    assert local.sim("GET", "health")["status"] == "ready"


def request(local: Local, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{local.port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def many(local: Local, count: int, rounds: int) -> list[int]:
    """Statuses of so many open connections that write and read at once."""

    async def one(number: int) -> list[int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
        await everybody.wait()  # all are connected before the first one asks
        found = []
        for turn in range(rounds):
            entry = json.dumps({**ENTRY, "name": f"{number}/{turn}"}).encode()
            writer.write(request(local, "POST", "/api/v2/credentials", {**DEPLOY, **JSON}, entry))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            made = json.loads(await reader.readexactly(int(length.split(b":")[1])))
            writer.write(request(local, "GET", f"/api/v2/credentials/{made.get('id')}", DEPLOY))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            shown = json.loads(await reader.readexactly(int(length.split(b":")[1])))
            found.append(int(head[9:12]) if shown.get("name") == f"{number}/{turn}" else 0)
        writer.close()
        return found

    everybody = asyncio.Event()
    tasks = [asyncio.create_task(one(number)) for number in range(count)]
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.2, everybody.set)
    return [status for statuses in await asyncio.gather(*tasks) for status in statuses]


@pytest.mark.slow
def test_two_hundred_connections_at_once_are_all_served_their_own(local: Local) -> None:
    statuses = asyncio.run(asyncio.wait_for(many(local, 200, 3), 30))

    assert statuses == [200] * 600
    listed = local.call("GET", "/api/v2/credentials", headers=DEPLOY, params={"pageSize": 500}).json()
    assert listed["totalCount"] >= 600


def raw(local: Local, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", local.port), timeout=10) as connection:
        connection.sendall(sent)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if b"\r\n\r\n" in answer:
                break
        return answer


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET http://elsewhere.example/ HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
        b"POST /_sim/reset HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\nHost: x\r\n\r\n",
    ],
    ids=["garbage", "no host", "two hosts", "foreign target", "two lengths", "long target", "negative length"],
)
def test_broken_http_is_refused(local: Local, sent: bytes) -> None:
    status = raw(local, sent).split(b" ", 2)[1]

    assert status in (b"400", b"421"), status


def test_slow_clients_keep_nobody_waiting(local: Local) -> None:
    half = [socket.create_connection(("127.0.0.1", local.port)) for _ in range(50)]
    try:
        for connection in half:
            connection.sendall(b"POST /api/v2/logs/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        # Times out if the server waits for the other half of one of them.
        assert local.sim("GET", "health")["status"] == "ready"
    finally:
        for connection in half:
            connection.close()

    assert local.sim("GET", "health")["status"] == "ready"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:{port}", "127.0.0.1:1", ""])
@pytest.mark.parametrize("path", ["/", "/_sim/dump", "/api/v2/credentials", "/static/style.css"])
def test_a_name_that_was_led_here_by_dns_is_refused(local: Local, host: str, path: str) -> None:
    headers = {"Host": host.format(port=local.port), **DEPLOY}
    answer = local.call("GET", path, headers=headers)

    assert answer.status_code in (400, 421)
    assert "credentials" not in answer.text


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_sites_page_changes_nothing(local: Local, origin: str, method: str) -> None:
    before = local.sim("GET", "dump", all="true")
    path = {"POST": "reset", "PUT": "state", "PATCH": "options", "DELETE": "scm/records"}[method]

    answer = local.call(method, f"/_sim/{path}", headers={"Origin": origin, "Content-Type": "text/plain"}, data=b"{}")

    assert answer.status_code == 403
    assert local.sim("GET", "dump", all="true") == before


def test_no_answer_lets_other_sites_read_it(local: Local) -> None:
    for path in ("/_sim/health", "/", "/api/v2/credentials"):
        answer = local.call("GET", path, headers={"Origin": "https://evil.example", **DEPLOY})
        allowed: Any = answer.headers.get("access-control-allow-origin")
        assert allowed is None
