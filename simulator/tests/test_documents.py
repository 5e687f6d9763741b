"""The Documents API over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from typing import Any

import pytest
import requests

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import PERSON, SERVICE_USER, Headers, add_user, bearer

DOCUMENTS = "/platform/document/v1/documents"
TRASH = "/platform/document/v1/trash/documents"
ALL = tuple(f"document:documents:{right}" for right in ("read", "write", "delete"))
BIN = tuple(f"document:trash.documents:{right}" for right in ("read", "restore", "delete"))
CONTENT = {"version": 21, "variables": [], "tiles": {}, "layouts": {}}


@pytest.fixture
def owner(local: Local) -> Headers:
    return bearer(local, *ALL, *BIN)


@pytest.fixture
def colleague(local: Local) -> Headers:
    add_user(local, "colleague@nordhav.example", *ALL, *BIN, "document:documents:admin")
    return bearer(local, *ALL, *BIN, user="colleague@nordhav.example")


def form(content: Any = CONTENT, **fields: str) -> list[tuple[str, Any]]:
    """The parts as clients send them: the content is a file, everything else plain text."""
    parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields.items()]
    if content is not None:
        raw = content if isinstance(content, bytes) else json.dumps(content)
        parts.append(("content", ("content.json", raw, "application/json")))
    return parts


def create(local: Local, who: Headers, content: Any = CONTENT, **fields: str) -> requests.Response:
    given = {"name": "Board", "type": "dashboard", **fields}
    return local.call("POST", DOCUMENTS, files=form(content, **given), headers=who)


def patch(local: Local, who: Headers, id: str, version: object, **fields: Any) -> requests.Response:
    parts = form(fields.pop("content", None), **fields)
    return local.call(
        "PATCH", f"{DOCUMENTS}/{id}", params={"optimistic-locking-version": version}, files=parts, headers=who
    )


def delete(local: Local, who: Headers, id: str, version: object) -> requests.Response:
    return local.call("DELETE", f"{DOCUMENTS}/{id}", params={"optimistic-locking-version": version}, headers=who)


def get(local: Local, who: Headers, path: str = "", **query: str) -> requests.Response:
    return local.call("GET", DOCUMENTS + path, params=query, headers=who)


def message(answer: requests.Response) -> str:
    """The text of a refusal, whose form has to be the platform's."""
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    assert error["details"]["errorRef"]
    return str(error["message"])


def test_a_document_is_created_private_and_read_in_every_form(local: Local, owner: Headers) -> None:
    made = create(local, owner, id="board-prod", description="What arrives")

    assert made.status_code == 201
    body = made.json()
    assert body["id"] == "board-prod"
    assert body["version"] == 1
    assert body["owner"] == SERVICE_USER["id"]
    assert body["isPrivate"] is True
    assert body["access"] == ["read", "write", "delete"]
    assert body["modificationInfo"]["createdBy"] == body["modificationInfo"]["lastModifiedBy"] == SERVICE_USER["id"]
    assert get(local, owner, "/board-prod/metadata").json() == body
    raw = get(local, owner, "/board-prod/content")
    assert (raw.headers["content-type"], raw.json()) == ("application/json", CONTENT)
    whole = get(local, owner, "/board-prod")
    head = f"content-type: {whole.headers['content-type']}\r\n\r\n".encode()
    parts = {
        part.get_param("name", header="content-disposition"): json.loads(part.get_content())
        for part in BytesParser(policy=policy.HTTP).parsebytes(head + whole.content).iter_parts()
    }
    assert parts == {"metadata": body, "content": CONTENT}


def test_content_comes_back_byte_by_byte(local: Local, owner: Headers) -> None:
    raw = bytes(range(256)) + b"\r\n--x\r\n" + b"\n\r\r\n"

    id = create(local, owner, raw).json()["id"]

    assert get(local, owner, f"/{id}/content").content == raw


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "E015739D-da78-4fe4-bef1-e95c2420bc25"}, "must not be a UUID"),
        ({"id": "under_score"}, "A-Z, a-z, 0-9 and -"),
        ({"id": "a" * 101}, "1 to 100"),
        ({"name": "n" * 129}, "name: must not be longer than 128"),
        ({"name": ""}, "name: must not be empty"),
        ({"type": "t" * 129}, "type: must not be longer than 128"),
        ({"description": "d" * 257}, "description: must not be longer than 256"),
        ({"isPrivate": "no"}, "isPrivate: must be true or false"),
        ({"labels": "x"}, "labels: unknown"),
        ({"content": None}, "Missing: content"),
        ({"content": b""}, "content: must not be empty"),
    ],
)
def test_a_form_that_is_wrong_is_refused_by_name(
    local: Local, owner: Headers, fields: dict[str, Any], words: str
) -> None:
    answer = create(local, owner, fields.pop("content", CONTENT), **fields)

    assert answer.status_code == 400
    assert words in message(answer)
    assert get(local, owner).json()["totalCount"] == 0


def test_an_id_may_hold_a_uuid_and_be_as_long_as_allowed(local: Local, owner: Headers) -> None:
    for id in ("my-e015739d-da78-4fe4-bef1-e95c2420bc25", "a" * 100):
        assert create(local, owner, id=id, name="n" * 128, description="d" * 256).status_code == 201


def test_a_body_that_is_no_form_is_refused(local: Local, owner: Headers) -> None:
    answer = local.call("POST", DOCUMENTS, json={"name": "Board"}, headers=owner)

    assert (answer.status_code, message(answer)) == (400, "The body must be multipart/form-data.")


@pytest.mark.slow
def test_content_of_more_than_50_mb_is_too_large(local: Local, owner: Headers) -> None:
    assert create(local, owner, b"x" * 50_000_000, id="most").status_code == 201
    answer = create(local, owner, b"x" * 50_000_001)

    assert answer.status_code == 413
    assert "50 MB" in message(answer)


def test_an_id_is_taken_even_by_a_document_in_the_trash(local: Local, owner: Headers, colleague: Headers) -> None:
    create(local, owner, id="board")
    assert create(local, colleague, id="board").status_code == 409
    delete(local, owner, "board", 1)
    again = create(local, owner, id="board")

    assert again.status_code == 409
    assert "board exists already" in message(again)
    assert local.call("DELETE", f"{TRASH}/board", headers=owner).status_code == 204
    assert create(local, owner, id="board").json()["version"] == 1


def test_each_change_is_a_new_version_and_says_only_what_changes(local: Local, owner: Headers) -> None:
    before = create(local, owner, id="board", description="Old").json()
    local.sim("POST", "clock", {"mode": "frozen", "step": 60})

    renamed = patch(local, owner, "board", 1, name="Other").json()["documentMetadata"]
    described = patch(local, owner, "board", 2, description="New", labels="pki", content={"version": 22}).json()

    assert renamed["version"] == 2
    assert (renamed["name"], renamed["description"], renamed["type"]) == ("Other", "Old", "dashboard")
    assert renamed["modificationInfo"]["createdTime"] == before["modificationInfo"]["createdTime"]
    assert renamed["modificationInfo"]["lastModifiedTime"] > before["modificationInfo"]["lastModifiedTime"]
    assert (described["documentMetadata"]["version"], described["documentMetadata"]["labels"]) == (3, ["pki"])
    assert get(local, owner, "/board/content").json() == {"version": 22}
    replaced = local.call(
        "PUT", f"{DOCUMENTS}/board/content?optimistic-locking-version=3", files=form(CONTENT), headers=owner
    )
    assert (replaced.status_code, replaced.json()["version"], replaced.json()["name"]) == (200, 4, "Other")


@pytest.mark.parametrize(("version", "status"), [(1, 409), (3, 409), ("", 400), ("two", 400), (None, 400)])
def test_a_write_names_the_version_that_it_changes(local: Local, owner: Headers, version: object, status: int) -> None:
    create(local, owner, id="board")
    patch(local, owner, "board", 1, name="Second")

    answers = [
        patch(local, owner, "board", version, name="Lost update"),
        local.call(
            "PUT", f"{DOCUMENTS}/board/content", params={"optimistic-locking-version": version}, files=form(CONTENT),
            headers=owner,
        ),
        delete(local, owner, "board", version),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [status] * 3
    assert all(message(answer) for answer in answers)
    present = get(local, owner, "/board/metadata").json()
    assert (present["name"], present["version"]) == ("Second", 2)


def test_an_update_of_nothing_is_refused(local: Local, owner: Headers) -> None:
    create(local, owner, id="board")

    answer = patch(local, owner, "board", 1, snapshotDescription="alone")

    assert answer.status_code == 400
    assert "At least one" in message(answer)


def test_versions_can_be_text_as_clients_also_meet_them(local: Local, owner: Headers) -> None:
    local.sim("PATCH", "options", {"document_versions": "text"})

    assert create(local, owner, id="board").json()["version"] == "1"
    assert patch(local, owner, "board", "1", name="Other").json()["documentMetadata"]["version"] == "2"


def test_what_is_private_is_closed_to_others_and_what_is_public_can_only_be_read(
    local: Local, owner: Headers, colleague: Headers
) -> None:
    create(local, owner, id="board")
    closed = [get(local, colleague, path) for path in ("/board", "/board/metadata", "/board/content")]
    assert [answer.status_code for answer in closed] == [403] * 3
    assert get(local, colleague).json()["documents"] == []

    public = local.call("POST", f"{DOCUMENTS}/board:makePublic", headers=owner)
    again = local.call("POST", f"{DOCUMENTS}/board:makePublic", headers=owner)

    assert (public.status_code, again.status_code) == (204, 204)
    seen = get(local, colleague, "/board/metadata").json()
    assert (seen["isPrivate"], seen["access"], seen["version"]) == (False, ["read"], 2)
    refused = [
        patch(local, colleague, "board", 2, name="Mine"),
        delete(local, colleague, "board", 2),
        local.call("POST", f"{DOCUMENTS}/board:makePrivate", headers=colleague),
    ]
    assert [answer.status_code for answer in refused] == [403] * 3
    assert "you may not change it" in message(refused[0])
    assert local.call("POST", f"{DOCUMENTS}/board:makePrivate", headers=owner).status_code == 204
    assert get(local, colleague, "/board").status_code == 403


def test_an_older_server_makes_a_document_public_by_its_form_alone(
    local: Local, owner: Headers, colleague: Headers
) -> None:
    local.sim("PATCH", "options", {"document_make_public": False})
    create(local, owner, id="board")

    refused = local.call("POST", f"{DOCUMENTS}/board:makePublic", headers=owner)
    changed = patch(local, owner, "board", 1, isPrivate="false")

    assert refused.status_code == 404
    assert changed.json()["documentMetadata"]["isPrivate"] is False
    assert create(local, owner, id="open", isPrivate="false").json()["isPrivate"] is False
    assert {each["id"] for each in get(local, colleague).json()["documents"]} == {"board", "open"}


def test_an_administrator_asks_to_be_treated_as_owner(local: Local, owner: Headers, colleague: Headers) -> None:
    create(local, owner, id="board")
    refused = get(local, colleague, "/board/metadata", **{"admin-access": "true"})
    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"missingScopes": ["document:documents:admin"]}

    admin = bearer(local, *ALL, "document:documents:admin", user="colleague@nordhav.example")

    seen = get(local, admin, "/board/metadata", **{"admin-access": "true"})
    assert seen.json()["access"] == ["read", "write", "delete"]
    assert get(local, admin, "/board/metadata").status_code == 403


def test_deleted_documents_go_to_the_trash_and_come_back(local: Local, owner: Headers, colleague: Headers) -> None:
    create(local, owner, id="board", isPrivate="false")
    assert delete(local, owner, "board", 1).status_code == 204

    assert get(local, owner, "/board").status_code == 404
    assert delete(local, owner, "board", 1).status_code == 404
    assert get(local, owner).json()["totalCount"] == 0
    (entry,) = local.call("GET", TRASH, headers=owner).json()["documents"]
    assert (entry["id"], entry["deletionInfo"]["deletedBy"]) == ("board", SERVICE_USER["id"])
    assert local.call("GET", f"{TRASH}/board", headers=owner).json()["version"] == 1
    assert local.call("GET", TRASH, headers=colleague).json()["documents"] == []
    assert local.call("POST", f"{TRASH}/board/restore", headers=colleague).status_code == 403
    assert local.call("POST", f"{TRASH}/board/restore", headers=owner).status_code == 204
    assert get(local, owner, "/board/metadata").json()["version"] == 1
    assert local.call("DELETE", f"{TRASH}/board", headers=owner).status_code == 404


def test_many_are_deleted_with_a_code_for_each(local: Local, owner: Headers, colleague: Headers) -> None:
    create(local, owner, id="mine")
    create(local, colleague, id="theirs")

    answer = local.call("POST", f"{DOCUMENTS}:delete", json={"ids": ["mine", "theirs", "none"]}, headers=owner)
    too_many = local.call("POST", f"{DOCUMENTS}:delete", json={"ids": ["x"] * 101}, headers=owner)

    assert answer.status_code == 200
    assert [(each["id"], each["code"]) for each in answer.json()["documents"]] == [
        ("mine", 204), ("theirs", 403), ("none", 404),
    ]  # fmt: skip
    assert answer.json()["documents"][1]["error"]["code"] == 403
    assert too_many.status_code == 400


def test_an_owner_hands_a_document_on(local: Local, owner: Headers) -> None:
    create(local, owner, id="board")

    unknown = local.call("POST", f"{DOCUMENTS}/board:transfer-owner", json={"newOwnerId": "x"}, headers=owner)
    done = local.call("POST", f"{DOCUMENTS}/board:transfer-owner", json={"newOwnerId": PERSON["id"]}, headers=owner)

    assert (unknown.status_code, done.status_code) == (400, 204)
    assert get(local, owner, "/board").status_code == 403


FILTERS: list[tuple[str, set[str]]] = [
    ("name == 'Alpha'", {"a"}),
    ("name = 'alpha'", set()),
    ("name contains 'ALPH'", {"a"}),
    ('name starts-with "b" or name ends-with "A"', {"a", "b", "c"}),
    ("type in ('notebook', 'launchpad')", {"c"}),
    ("type != 'dashboard' and version >= 1", {"c"}),
    ("not (id == 'a') and (type == 'dashboard' or (version > 1))", {"b"}),
    ("version < 2", {"a", "b", "c"}),
    ("originAppId exists", set()),
    ("not (originAppId exists) and not (originExtensionId exists)", {"a", "b", "c"}),
    ("modificationInfo.createdTime >= '2022-07-01T00:10:05.000Z'", {"a", "b", "c"}),
    ("owner == 'nobody'", set()),
]


@pytest.mark.parametrize(("filter", "expected"), FILTERS)
def test_lists_are_filtered(local: Local, owner: Headers, filter: str, expected: set[str]) -> None:
    for id, name, type in (("a", "Alpha", "dashboard"), ("b", "Beta", "dashboard"), ("c", "Gamma", "notebook")):
        create(local, owner, id=id, name=name, type=type)

    found = get(local, owner, filter=filter)

    assert {each["id"] for each in found.json()["documents"]} == expected
    assert found.json()["totalCount"] == len(expected)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"filter": "colour == 'red'"}, "unknown field colour"),
        ({"filter": "name =="}, "cannot be read"),
        ({"filter": "name == 'x' )"}, "cannot be read"),
        ({"filter": "((((name == 'x'))))"}, "nested deeper than 3"),
        ({"filter": f"name == '{'x' * 1024}'"}, "longer than 1024"),
        ({"filter": "version >= 'two'"}, "version is a number"),
        ({"sort": "colour"}, "unknown field 'colour'"),
        ({"sort": "name, type"}, "unknown field ' type'"),
        ({"sort": "name,name,name,name,name,name"}, "more than 5"),
        ({"page-size": "1001"}, "1 to 1000"),
        ({"page-key": "?"}, "page-key"),
        ({"add-fields": "colour"}, "unknown field 'colour'"),
    ],
)
def test_a_list_that_cannot_be_made_is_refused(local: Local, owner: Headers, query: dict[str, str], words: str) -> None:
    answer = get(local, owner, **query)

    assert answer.status_code == 400
    assert words in message(answer)


def test_lists_come_in_pages_and_in_the_order_asked_for(local: Local, owner: Headers) -> None:
    for number in range(5):
        create(local, owner, id=f"b{number}", name=f"{'xX'[number % 2]}{9 - number}")

    first = get(local, owner, **{"page-size": "2", "sort": "-name"}).json()
    rest = get(local, owner, **{"page-size": "9", "sort": "-name", "page-key": first["nextPageKey"]}).json()

    assert [each["id"] for each in first["documents"] + rest["documents"]] == ["b0", "b1", "b2", "b3", "b4"]
    assert first["totalCount"] == rest["totalCount"] == 5
    assert "nextPageKey" not in rest


Try = Callable[[Local, Headers], requests.Response]
TRIES: list[tuple[str, Try]] = [
    ("document:documents:write", lambda local, who: create(local, who, id="other")),
    ("document:documents:write", lambda local, who: patch(local, who, "board", 1, name="x")),
    ("document:documents:write", lambda local, who: local.call("POST", f"{DOCUMENTS}/board:makePublic", headers=who)),
    ("document:documents:read", get),
    ("document:documents:read", lambda local, who: get(local, who, "/board")),
    ("document:documents:delete", lambda local, who: delete(local, who, "board", 1)),
    ("document:trash.documents:read", lambda local, who: local.call("GET", TRASH, headers=who)),
    ("document:trash.documents:delete", lambda local, who: local.call("DELETE", f"{TRASH}/board", headers=who)),
    ("document:trash.documents:restore", lambda local, who: local.call("POST", f"{TRASH}/board/restore", headers=who)),
]


@pytest.mark.parametrize(("scope", "attempt"), TRIES)
def test_each_call_needs_its_scope(local: Local, owner: Headers, scope: str, attempt: Try) -> None:
    create(local, owner, id="board")
    without = bearer(local, *(each for each in (*ALL, *BIN) if each != scope))

    answer = attempt(local, without)

    assert answer.status_code == 403
    assert answer.json()["error"]["details"] == {"missingScopes": [scope]}


def test_an_api_token_does_not_work_and_missing_parts_say_so(local: Local, owner: Headers) -> None:
    create(local, owner, id="board")

    wrong_scheme = local.call("GET", DOCUMENTS, headers={"Authorization": "Api-Token dt0c01.X.Y"})
    snapshot = local.call(
        "PATCH", f"{DOCUMENTS}/board?optimistic-locking-version=1&create-snapshot=true",
        files=form(None, name="x"), headers=owner,
    )  # fmt: skip
    share = local.call("POST", "/platform/document/v1/environment-shares", json={}, headers=owner)

    assert wrong_scheme.status_code == 401
    assert (snapshot.status_code, share.status_code) == (501, 501)
    assert "make the document public" in share.json()["error"]["message"]


def test_documents_survive_a_saved_state(local: Local, owner: Headers) -> None:
    create(local, owner, id="board")
    create(local, owner, b"\xff\xfe", id="binary")
    saved = local.sim("GET", "state")
    local.sim("POST", "reset")

    local.sim("PUT", "state", saved)

    again = bearer(local, *ALL)
    assert get(local, again, "/board/content").json() == CONTENT
    assert get(local, again, "/binary/content").content == b"\xff\xfe"
