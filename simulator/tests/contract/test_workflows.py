"""Workflows, as an infrastructure tool uses them: what we write is what we read, and nothing of ours is lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from .environment import Environment

API = "/automation/v1/workflows"
TASK: dict[str, Any] = {
    "name": "sync", "action": "dynatrace.automations:run-javascript", "description": "what it does", "active": True,
    "input": {"script": "export default async function () {\n  return { done: true }; // {{ no expression }}\n}\n"},
    "position": {"x": 0, "y": 1}, "predecessors": [], "timeout": 300,
}  # fmt: skip
WORKFLOW: dict[str, Any] = {
    "title": "contract test (safe to delete)", "description": "made by a test", "isPrivate": False, "isDeployed": True,
    "type": "STANDARD", "hourlyExecutionLimit": 60, "tasks": {"sync": TASK}, "guide": "# Guide",
    "trigger": {
        "schedule": {
            "trigger": {"type": "interval", "intervalMinutes": 10}, "isActive": False, "timezone": "UTC", "rule": None,
            "filterParameters": {},
        },
    },
}  # fmt: skip


@pytest.fixture
def made(environment: Environment) -> Iterator[str]:
    answer = environment.platform("POST", API, json=WORKFLOW)
    assert answer.status_code == 201, answer.text
    id = answer.json()["id"]
    yield id
    environment.platform("DELETE", f"{API}/{id}")


def different(wanted: Any, found: Any, at: str = "") -> list[str]:
    """Where something that we set is not so; what the platform adds does not count."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [line for name in wanted for line in different(wanted[name], found.get(name), f"{at}/{name}")]
    return [] if wanted == found else [f"{at}: wrote {wanted!r}, read {found!r}"]


def read(environment: Environment, id: str) -> dict[str, Any]:
    answer = environment.platform("GET", f"{API}/{id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_every_field_that_we_write_reads_back_the_same(environment: Environment, made: str) -> None:
    assert different(WORKFLOW, read(environment, made)) == []


def test_a_second_apply_finds_no_difference_and_invents_none(environment: Environment, made: str) -> None:
    before = read(environment, made)

    assert environment.platform("PUT", f"{API}/{made}", json=WORKFLOW).status_code == 200

    after = read(environment, made)
    moved = {"version", "modificationInfo"}
    assert {k: v for k, v in after.items() if k not in moved} == {k: v for k, v in before.items() if k not in moved}


def test_what_a_body_leaves_out_is_kept_and_empty_values_clear(environment: Environment, made: str) -> None:
    assert environment.platform("PUT", f"{API}/{made}", json={"title": "renamed (safe to delete)"}).status_code == 200
    kept = read(environment, made)
    assert different({**WORKFLOW, "title": "renamed (safe to delete)"}, kept) == []

    assert environment.platform("PUT", f"{API}/{made}", json={**WORKFLOW, "description": ""}).status_code == 200
    assert read(environment, made)["description"] == ""


def test_an_id_of_our_own_is_kept(environment: Environment) -> None:
    id = str(uuid.uuid4())
    try:
        answer = environment.platform("POST", API, json={**WORKFLOW, "id": id})
        assert (answer.status_code, answer.json()["id"]) == (201, id)
    finally:
        environment.platform("DELETE", f"{API}/{id}")


def test_a_deleted_one_is_not_found(environment: Environment, made: str) -> None:
    assert environment.platform("DELETE", f"{API}/{made}").status_code == 204

    gone = environment.platform("GET", f"{API}/{made}")

    assert gone.status_code == 404
    assert gone.json()["error"]["code"] == 404


def test_a_search_finds_parts_of_titles(environment: Environment, made: str) -> None:
    answer = environment.platform("GET", API, params={"search": "contract test"}).json()

    assert made in {found["id"] for found in answer["results"]}
    assert answer["count"] >= len(answer["results"])


@pytest.mark.parametrize(
    ("schedule", "member"),
    [
        ({"trigger": {"type": "", "intervalMinutes": 10}}, "trigger"),
        ({"trigger": {"type": "interval", "intervalMinutes": 10}, "timezone": ""}, "timezone"),
        ({"trigger": {"type": "interval", "intervalMinutes": 10}, "rule": ""}, "rule"),
    ],
)
def test_a_refusal_mirrors_the_body(environment: Environment, schedule: dict[str, Any], member: str) -> None:
    answer = environment.platform("POST", API, json={**WORKFLOW, "trigger": {"schedule": schedule}})

    assert answer.status_code == 400
    leaf = answer.json()["error"]["details"]["trigger"]["schedule"][member]
    assert leaf and all(isinstance(sentence, str) for sentence in leaf)


def test_admin_access_without_its_scope_is_a_403(environment: Environment, made: str) -> None:
    answer = environment.platform("GET", f"{API}/{made}", params={"adminAccess": "true"})

    assert answer.status_code == 403
    assert environment.platform("GET", f"{API}/{made}", params={"adminAccess": "false"}).status_code == 200


def test_a_used_qualifier_starts_nothing(environment: Environment, made: str) -> None:
    first = environment.platform("POST", f"{API}/{made}/run", json={"uniqueQualifier": "contract"})
    again = environment.platform("POST", f"{API}/{made}/run", json={"uniqueQualifier": "contract"})

    assert (first.status_code, again.status_code) == (201, 202)
    execution = f"/automation/v1/executions/{first.json()['id']}"
    assert environment.until(lambda: environment.platform("GET", execution).json()["state"] != "RUNNING", 60)
