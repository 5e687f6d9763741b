"""The credential vault, as an infrastructure tool uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .environment import Environment

TOKEN: dict[str, Any] = {
    "name": "contract test (safe to delete)", "type": "TOKEN", "token": "no secret", "description": "made by a test",
    "scopes": ["APP_ENGINE"], "ownerAccessOnly": True, "allowContextlessRequests": True,
}  # fmt: skip
USER: dict[str, Any] = {**{k: v for k, v in TOKEN.items() if k != "token"}, "type": "USERNAME_PASSWORD", "user": "u"}
USER["password"] = 'p"\\ü=$ !]'
SECRET = ("token", "user", "password")


Made = tuple[str, dict[str, Any]]
"""An entry's id and the body it was made from."""


@pytest.fixture(params=[TOKEN, USER], ids=["token", "user and password"])
def entry(environment: Environment, request: pytest.FixtureRequest) -> Iterator[Made]:
    made = environment.classic("POST", "/credentials", json=request.param)
    assert made.status_code == 201, made.text
    assert list(made.json()) == ["id"]
    id = made.json()["id"]
    yield id, request.param
    environment.classic("DELETE", f"/credentials/{id}")


def differences(environment: Environment, id: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Our fields that are not as we wrote them; what a second apply would change."""
    answer = environment.classic("GET", f"/credentials/{id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return {name: found.get(name) for name in wanted if name not in SECRET and found.get(name) != wanted[name]}


def test_created_read_changed_read_deleted_and_gone(environment: Environment, entry: Made) -> None:
    id, wanted = entry
    assert differences(environment, id, wanted) == {}

    changed = {**wanted, "description": "", "name": "contract test, renamed (safe to delete)"}
    put = environment.classic("PUT", f"/credentials/{id}", json=changed)
    assert (put.status_code, put.content) == (204, b"")
    assert differences(environment, id, changed) == {}

    again = environment.classic("PUT", f"/credentials/{id}", json=changed)
    assert again.status_code == 204
    assert differences(environment, id, changed) == {}

    assert environment.classic("DELETE", f"/credentials/{id}").status_code == 204
    gone = environment.classic("GET", f"/credentials/{id}")
    assert gone.status_code == 404
    assert gone.json()["error"]["code"] == 404


def test_no_answer_shows_the_secret(environment: Environment, entry: Made) -> None:
    id, _ = entry
    shown = environment.classic("GET", f"/credentials/{id}").json()
    listed = environment.classic("GET", "/credentials", params={"pageSize": 500}).json()

    assert not {"token", "password"} & shown.keys()
    assert not any({"token", "password"} & each.keys() for each in listed["credentials"])
    assert id in {each["id"] for each in listed["credentials"]}


def test_two_of_a_name_are_two_entries(environment: Environment, entry: Made) -> None:
    id, wanted = entry
    twin = environment.classic("POST", "/credentials", json=wanted)

    assert twin.status_code == 201
    assert twin.json()["id"] != id
    assert environment.classic("DELETE", f"/credentials/{twin.json()['id']}").status_code == 204


@pytest.mark.parametrize("wrong", [{"name": ""}, {"type": "SONG"}, {"scopes": []}], ids=["name", "type", "scopes"])
def test_a_body_that_is_wrong_is_a_400_in_the_classic_envelope(environment: Environment, wrong: dict[str, Any]) -> None:
    answer = environment.classic("POST", "/credentials", json={**TOKEN, **wrong})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400


def test_a_wrong_token_is_refused_in_the_classic_envelope(environment: Environment) -> None:
    headers = {"Authorization": f"Api-Token dt0c01.{'X' * 24}.{'X' * 64}"}
    answer = environment.classic("GET", "/credentials", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401
