"""State as a document: exported, imported, compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, DEPLOY_TOKEN, SEED, bearer, new_token, with_token
from local_dynatrace.testing.flows import author, create, every, get, play

ENTRY = {"name": "Kept", "type": "TOKEN", "token": "a-very-private-value", "scopes": ["APP_ENGINE"]}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """With scheduler and stream, as a dev stack has it."""
    local = Local(tmp_path_factory.mktemp("usual"), scheduler=True, scm_stream=True)
    yield local
    local.close()


def fill(local: Local) -> str:
    """Some of everything; returns a vault entry's id."""
    play(local, "export default () => { console.log('{\"a\": 1}'); return [1]; };")
    local.sim("POST", "scm/records", {"records": [{"id": "r1", "timestamp": "2026-01-29T09:00:00Z"}]})
    record = {"content": "[1,  2]", "log.source": "test", "loglevel": "WARN"}
    assert local.call("POST", "/api/v2/logs/ingest", headers=DEPLOY, json=record).status_code == 204
    made: str = local.call("POST", "/api/v2/credentials", headers=DEPLOY, json=ENTRY).json()["id"]
    return made


def test_an_export_put_back_is_the_same_state(local: Local) -> None:
    entry = fill(local)
    document, before = local.sim("GET", "state"), local.sim("GET", "dump", all="true")
    local.sim("POST", "reset")

    answer = local.call("PUT", "/_sim/state", json=document)

    assert answer.status_code == 200
    lost = answer.json()["lostSecrets"]
    assert f"credentials {entry}" in lost
    found = local.sim("POST", "diff", {"before": before, "after": local.sim("GET", "dump", all="true")})
    changed = [f"{name} {row['id']}" for name, table in found.items() for row in table["changed"]]
    assert changed == lost
    assert not any(table["added"] or table["removed"] for table in found.values())
    assert local.call("GET", f"/api/v2/credentials/{entry}", headers=DEPLOY).json()["name"] == "Kept"


def test_an_import_keeps_the_secrets_that_are_known(local: Local) -> None:
    fill(local)
    document = local.sim("GET", "state")
    local.call("POST", "/api/v2/credentials", headers=DEPLOY, json={**ENTRY, "name": "Later"})

    answer = local.call("PUT", "/_sim/state", json=document)

    assert answer.json() == {"lostSecrets": []}
    assert local.sim("GET", "state") == document
    assert local.call("GET", "/api/v2/credentials", headers=DEPLOY).status_code == 200


@pytest.mark.slow
def test_another_environment_can_take_an_export(local: Local, tmp_path: Path) -> None:
    fill(local)
    token = new_token(local, "settings.read")
    document = local.sim("GET", "state")
    other = Local(tmp_path)
    try:
        lost = other.sim("PUT", "state", document)["lostSecrets"]
        seeds = other.call("GET", "/api/v2/credentials", headers=DEPLOY)
        unknown = other.call("GET", "/api/v2/settings/schemas", headers=with_token(token))
        flows = get(other, author(other), "workflows")
    finally:
        other.close()

    assert [line.split()[0] for line in lost].count("api_tokens") == 1
    assert (seeds.status_code, unknown.status_code) == (200, 401)
    assert {flow["title"] for flow in flows["results"]} >= {"A workflow"}


def test_no_secret_is_in_an_export(local: Local) -> None:
    fill(local)
    bearer(local, "storage:logs:read")
    text = json.dumps(local.sim("GET", "state"))

    assert "a-very-private-value" not in text
    assert DEPLOY_TOKEN not in text
    assert SEED["scm_clients"][0]["secret"] not in text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": "something"}, "format"),
        ({"clock": {"mode": "slow", "nowUs": 1}}, "clock"),
        ({"clock": {"mode": "frozen", "nowUs": "now"}}, "nowUs"),
        ({"tables": {"people": []}}, "people"),
        ({"tables": {"workflows": [{"colour": "red"}]}}, "colour"),
        ({"tables": {"workflows": [{"id": "only"}]}}, "nothing was changed"),
        ({"clock": {"mode": "frozen", "nowUs": 10**40}}, "2000-01-01 to 2100-01-01"),
        ({"clock": {"mode": "running", "nowUs": -1}}, "2000-01-01 to 2100-01-01"),
        ({"tables": {"kernel_meta": [{"key": "ids", "value": '"many"'}]}}, "kernel_meta: ids: value"),
        ({"tables": {"users": [{"id": "u", "permissions": {}}]}}, "users: u: permissions: expected a list of strings"),
        ({"tables": {"executions": [{"id": "e", "number": 10**40}]}}, "executions: e: number: expected a whole number"),
        ({"tables": {"executions": [{"id": "e", "started_us": 5}]}}, "executions: e: started_us: no time"),
        ({"tables": {"settings_objects": [{"object_id": "o", "value": {}}]}}, "settings_objects: o: value"),
        (
            {"tables": {"users": [{"id": "\ud800", "email": "e", "name": "n", "kind": "person", "permissions": []}]}},
            "nothing was changed",
        ),
    ],
)
def test_a_document_that_does_not_fit_is_refused_and_changes_nothing(
    local: Local, change: dict[str, Any], named: str
) -> None:
    before = local.sim("GET", "dump", all="true"), local.sim("GET", "clock")

    answer = local.call("PUT", "/_sim/state", json={**local.sim("GET", "state"), **change})

    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert (local.sim("GET", "dump", all="true"), local.sim("GET", "clock")) == before


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("definition", "{", "definition"),
        ("definition", {"title": "only"}, "definition: without"),
        ("next_us", "soon", "next_us: expected a whole number"),
        ("anchor_us", None, "definition: does not go with next_us"),
        ("next_us", 253_402_300_799_000_000, "next_us: no time"),
    ],
)
def test_a_workflow_that_would_crash_the_scheduler_does_not_come_in(
    usual: Local, column: str, value: Any, named: str
) -> None:
    flow = create(usual, author(usual), trigger=every(10))
    document = usual.sim("GET", "state")
    next(row for row in document["tables"]["workflows"] if row["id"] == flow["id"])[column] = value

    answer = usual.call("PUT", "/_sim/state", json=document)
    usual.sim("POST", "clock", {"step": 600})

    assert answer.status_code == 400
    assert f"workflows: {flow['id']}: {named}" in answer.json()["error"]["message"]
    assert usual.sim("GET", "health")["status"] == "ready"


@pytest.mark.slow
def test_a_state_without_the_kernel_s_own_table_starts_again_as_what_it_is(tmp_path: Path) -> None:
    local = Local(tmp_path)
    try:
        document = local.sim("GET", "state")
        del document["tables"]["kernel_meta"], document["tables"]["credentials"]
        local.sim("PUT", "state", document)
        local.stop()
        local.start()

        assert local.call("GET", "/api/v2/credentials", headers=DEPLOY).json()["credentials"] == []
    finally:
        local.close()


def test_a_difference_names_what_came_went_and_changed(local: Local) -> None:
    headers = author(local)
    gone, changed = create(local, headers), create(local, headers)
    before = local.sim("GET", "dump")
    path = "/platform/automation/v1/workflows"
    local.call("DELETE", f"{path}/{gone['id']}", headers=headers)
    local.call("PATCH", f"{path}/{changed['id']}", headers=headers, json={"title": "New"})
    local.call("POST", "/api/v2/credentials", headers=DEPLOY, json=ENTRY)

    found = local.sim("POST", "diff", {"before": before})

    assert [row["name"] for row in found["credentials"]["added"]] == ["Kept"]
    assert [row["id"] for row in found["workflows"]["removed"]] == [gone["id"]]
    (change,) = found["workflows"]["changed"]
    assert (change["id"], change["fields"]["title"]) == (changed["id"], ["A workflow", "New"])
    assert set(found) <= {"credentials", "workflows"}
