"""Sectigo's token endpoint and audit API, over HTTP."""

from __future__ import annotations

import base64
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from local_dynatrace.kernel.store import Store
from local_dynatrace.kernel.world import World
from local_dynatrace.plugins import found, options_type
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SEED
from local_sectigo.scm import cursor, records, setup
from local_sectigo.scm.cursor import Cursor

TOKEN_PATH = "/auth/realms/apiclients/protocol/openid-connect/token"
CLIENT = SEED["scm_clients"][0]
NOON = "2026-01-29T12:00:00Z"


def ask_for_token(local: Local, **form: str) -> requests.Response:
    values = {
        "grant_type": "client_credentials", "client_id": CLIENT["id"], "client_secret": CLIENT["secret"], **form,
    }  # fmt: skip
    return local.call("POST", TOKEN_PATH, data=values)


def get(local: Local, bearer: str | None = None, /, **query: str) -> requests.Response:
    bearer = ask_for_token(local).json()["access_token"] if bearer is None else bearer
    return local.call("GET", "/api/v1/records", params=query, headers={"Authorization": f"Bearer {bearer}"})


def record(at: str, id: str = "one", **more: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": at, "service": "scm", "action": "issue", **more}


def inject(local: Local, *found: dict[str, Any], after_s: float = 0) -> None:
    local.sim("POST", "scm/records", {"records": list(found), "visibleAfterS": after_s})


@pytest.fixture
def scm(local: Local) -> Local:
    local.sim("POST", "clock", {"mode": "frozen", "jump": NOON})
    return local


def every_page(local: Local, **query: str) -> list[list[dict[str, Any]]]:
    pages = []
    answer = get(local, **query)
    while answer.json():
        pages.append(answer.json())
        answer = get(local, to=query["to"], token=answer.headers["token"])
    return pages


# token endpoint


def test_client_credentials_in_the_form_give_a_bearer_token(scm: Local) -> None:
    answer = ask_for_token(scm)

    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 300


@pytest.mark.parametrize("encoded", [False, True])
def test_client_credentials_in_a_basic_header_give_a_bearer_token(scm: Local, encoded: bool) -> None:
    secret = requests.compat.quote_plus(CLIENT["secret"]) if encoded else CLIENT["secret"]
    basic = base64.b64encode(f"{CLIENT['id']}:{secret}".encode()).decode()
    answer = scm.call(
        "POST", TOKEN_PATH, data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_wrong_credentials_are_refused_as_keycloak_does(
    scm: Local, form: dict[str, str], status: int, error: str
) -> None:
    answer = ask_for_token(scm, **form)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert CLIENT["secret"] not in answer.text


def test_a_json_body_is_no_form(scm: Local) -> None:
    assert scm.call("POST", TOKEN_PATH, json={"grant_type": "client_credentials"}).status_code == 415


def test_an_access_token_ends_with_its_lifetime(scm: Local) -> None:
    token = ask_for_token(scm).json()["access_token"]
    window = {"from": "2026-01-29T11:00:00Z", "to": NOON}
    scm.sim("POST", "clock", {"step": 299})
    before = get(scm, token, **window).status_code
    scm.sim("POST", "clock", {"step": 1})

    assert before == 200
    assert get(scm, token, **window).status_code == 401


def test_a_refusal_names_the_authorization_server(scm: Local) -> None:
    answer = get(scm, "made-up", **{"from": NOON, "to": NOON})

    assert answer.status_code == 401
    assert answer.json() == {"code": -16, "description": "Unknown user"}
    assert answer.headers["www-authenticate"].startswith('Bearer authorization_uri="https://auth.sso.sectigo.com/')


# pages


def test_records_come_ascending_page_by_page_until_an_empty_array(scm: Local) -> None:
    scm.sim("PATCH", "options", {"scm_page_size": 3})
    inject(scm, *(record(f"2026-01-29T11:00:0{n}.000001Z", f"id-{n}") for n in (3, 1, 4, 0, 5, 2, 6)))
    pages = every_page(scm, **{"from": "2026-01-29T10:00:00Z", "to": NOON})

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [r["id"] for page in pages for r in page] == [f"id-{n}" for n in range(7)]


def test_ties_wider_than_a_page_are_delivered_whole_and_once(scm: Local) -> None:
    scm.sim("PATCH", "options", {"scm_page_size": 2})
    at = "2026-01-29T11:00:00.611092Z"
    # The third one has the id of the first: order and cursor do not rest on ids.
    inject(scm, *(record(at, id) for id in ("a", "b", "a", "c", "d")))
    pages = every_page(scm, **{"from": "2026-01-29T10:00:00Z", "to": NOON})

    assert [r["id"] for page in pages for r in page] == ["a", "b", "a", "c", "d"]


def test_the_window_excludes_from_and_includes_to(scm: Local) -> None:
    first, last = "2026-01-29T11:00:00.000001Z", "2026-01-29T11:00:00.000002Z"
    inject(scm, record(first, "first"), record(last, "last"))
    exclusive = get(scm, **{"from": first, "to": last}).json()
    scm.sim("PATCH", "options", {"scm_from": "inclusive"})
    inclusive = get(scm, **{"from": first, "to": last}).json()

    assert [r["id"] for r in exclusive] == ["last"]
    assert [r["id"] for r in inclusive] == ["first", "last"]


@pytest.mark.parametrize(
    ("start", "ids"),
    [("11:00:00.000000999Z", ["x"]), ("11:00:00.000001Z", []), ("11:00:00.000001001Z", []), ("12:00:00+01:00", ["x"])],
)
def test_from_is_read_to_the_nanosecond_and_with_its_offset(scm: Local, start: str, ids: list[str]) -> None:
    inject(scm, record("2026-01-29T11:00:00.000001Z", "x"))

    assert [r["id"] for r in get(scm, **{"from": f"2026-01-29T{start}", "to": NOON}).json()] == ids


def test_a_page_that_exhausts_the_range_may_come_without_a_cursor(scm: Local) -> None:
    inject(scm, record("2026-01-29T11:00:00Z"))
    window = {"from": "2026-01-29T10:00:00Z", "to": NOON}
    by_default = get(scm, **window)
    scm.sim("PATCH", "options", {"scm_last_page_token": False})
    without = get(scm, **window)

    assert "token" in by_default.headers
    assert "token" not in without.headers
    assert "token" not in get(scm, **{"from": NOON, "to": NOON}).headers


def test_a_late_record_appears_behind_the_cursors_that_passed_it(scm: Local) -> None:
    inject(scm, record("2026-01-29T11:30:00Z", "early"))
    inject(scm, record("2026-01-29T11:00:00Z", "late"), after_s=60)
    window = {"from": "2026-01-29T10:00:00Z", "to": NOON}
    first = get(scm, **window)
    scm.sim("POST", "clock", {"step": 60})

    assert [r["id"] for r in first.json()] == ["early"]
    assert get(scm, to=NOON, token=first.headers["token"]).json() == []
    assert [r["id"] for r in get(scm, **window).json()] == ["late", "early"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": "2026-01-29T10:00:00Z"}, "'to' is missing"),
        ({"to": NOON}, "'from' is missing"),
        ({"from": "yesterday", "to": NOON}, "'from' is not an RFC 3339"),
        ({"from": "2026-01-29T10:00:00", "to": NOON}, "no time zone offset"),
        ({"from": "2026-02-30T10:00:00Z", "to": NOON}, "is not a date"),
        ({"from": "2026-01-29T13:00:00Z", "to": NOON}, "must not be later"),
        ({"token": "made up", "to": NOON}, "Invalid token"),
        ({"token": "2026-01-29T10:00:00.000000Z|ffffffffffffffff", "to": NOON}, "Invalid token"),
        ({"token": "2026-01-29T10:00:00.000000Z|0000000000000001", "to": NOON}, "expired"),
        ({"token": "2026-01-29T10:00:00.000000Z|0000000000000001"}, "'to' is missing"),
    ],
)
def test_wrong_parameters_are_an_object_that_says_what_is_wrong(scm: Local, query: dict[str, str], words: str) -> None:
    answer = get(scm, **query)

    assert answer.status_code == 400
    assert words in answer.json()["description"]


def test_an_unencoded_plus_is_explained(scm: Local) -> None:
    token = ask_for_token(scm).json()["access_token"]
    path = f"/api/v1/records?from=2026-01-29T10:00:00+01:00&to={NOON}"

    assert "%2B" in scm.call("GET", path, headers={"Authorization": f"Bearer {token}"}).json()["description"]


def test_a_cursor_of_a_forgotten_record_has_expired(scm: Local) -> None:
    inject(scm, record("2026-01-29T11:00:00Z"))
    token = get(scm, **{"from": "2026-01-29T10:00:00Z", "to": NOON}).headers["token"]
    scm.sim("DELETE", "scm/records")

    assert get(scm, to=NOON, token=token).status_code == 400


def test_the_date_header_is_the_simulated_time(scm: Local) -> None:
    answer = get(scm, **{"from": NOON, "to": NOON})

    assert parsedate_to_datetime(answer.headers["date"]).isoformat() == "2026-01-29T12:00:00+00:00"


def test_the_date_header_is_as_far_off_as_scm_s_clock(scm: Local) -> None:
    scm.sim("PATCH", "options", {"scm_skew_s": -300})

    assert ask_for_token(scm).headers["date"] == "Thu, 29 Jan 2026 11:55:00 GMT"


def test_malformed_records_travel_as_they_were_put_in(scm: Local) -> None:
    odd = [{"action": "no time, no id"}, record("not a time", "山"), record("2026-01-29T11:00:00Z", details={"a": [1]})]
    inject(scm, *odd)
    found = get(scm, **{"from": "2026-01-29T10:00:00Z", "to": NOON}).json()

    assert found == [odd[2], odd[0], odd[1]]


def test_a_fault_rule_answers_in_place_of_the_records_only(scm: Local) -> None:
    scm.sim("POST", "faults", {"api": "scm", "status": 503, "headers": {"Retry-After": "7"}})
    answer = get(scm, **{"from": NOON, "to": NOON})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert get(scm, **{"from": NOON, "to": NOON}).status_code == 200


@pytest.mark.slow
def test_records_and_cursors_survive_a_restart(tmp_path: Path) -> None:
    local = Local(tmp_path, clock="frozen", scm_page_size=1)
    try:
        local.sim("POST", "clock", {"jump": NOON})
        inject(local, record("2026-01-29T11:00:00Z", "a"), record("2026-01-29T11:00:00Z", "b"))
        token = get(local, **{"from": "2026-01-29T10:00:00Z", "to": NOON}).headers["token"]
        local.stop()
        local.start()
        rest = get(local, to=NOON, token=token).json()
    finally:
        local.close()

    assert [r["id"] for r in rest] == ["b"]


# in process


def test_a_cursor_is_exactly_what_the_server_writes() -> None:
    text = "2026-01-29T09:44:11.611092Z|000000000000002a"

    assert cursor.parse(text) == Cursor(1769679851611092, 42)
    assert str(cursor.parse(text)) == text


@pytest.mark.slow
def test_a_page_of_a_million_records_is_found_at_once(tmp_path: Path) -> None:
    world = World(options_type(found())(seed=1), Store(tmp_path / "world.sqlite"))
    setup(world)
    world.store.run(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)"
        " INSERT INTO scm_records (at_us, visible_us, wire) SELECT i / 1000 * 1000, 0, '{}' FROM n"
    )
    steps = []
    world.store.db.set_progress_handler(lambda: steps.append(1), 1000)
    page = records.page(world, Cursor(500_000, 500_500), 10**12)
    world.store.db.set_progress_handler(None, 0)
    world.store.close()

    assert page.count == 100
    assert page.next == Cursor(500_000, 500_600)
    # Work counted in thousands of SQLite's instructions, so that a slow machine cannot fail it.
    assert len(steps) < 20
