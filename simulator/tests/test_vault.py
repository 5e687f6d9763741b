"""Credential vault: what goes in, what comes out, for whom, and when."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import (
    DEPLOY,
    PERSON,
    SERVICE_USER,
    add_user,
    api_token,
    bearer,
)

CLASSIC = "/api/v2/credentials"
PLATFORM = "/platform/classic/environment-api/v2/credentials"
VAULT_SCOPES = ("environment-api:credentials:read", "environment-api:credentials:write")
VIEWER = "environment:roles:viewer"
SECRET = 's3cret-"\\ü-of-a-test'


def token_entry(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Sectigo Checkpoint",
        "type": "TOKEN",
        "scopes": ["APP_ENGINE"],
        "token": SECRET,
        "description": "state",
        "allowContextlessRequests": True,
        **changes,
    }


def create(local: Local, headers: dict[str, str] = DEPLOY, **changes: Any) -> str:
    answer = local.call("POST", CLASSIC, headers=headers, json=token_entry(**changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def script(local: Local, user: str = SERVICE_USER["email"]) -> dict[str, str]:
    """What a workflow script of this user has in its hands."""
    return bearer(local, *VAULT_SCOPES, user=user)


def details(local: Local, id: str, headers: dict[str, str] | None = None) -> Any:
    return local.call("GET", f"{PLATFORM}/{id}/details", headers=headers or script(local))


def vault_user(local: Local, email: str = "colleague@nordhav.example", *more: str) -> str:
    return add_user(local, email, *VAULT_SCOPES, VIEWER, *more)


# what a write does


def test_a_new_entry_shows_its_metadata_and_never_its_secret(local: Local) -> None:
    answer = local.call("POST", CLASSIC, headers=DEPLOY, json=token_entry())
    entry_id = answer.json()["id"]
    shown = local.call("GET", f"{CLASSIC}/{entry_id}", headers=DEPLOY)

    assert answer.json().keys() == {"id"}
    assert re.fullmatch("CREDENTIALS_VAULT-[0-9A-F]{16}", entry_id)
    assert shown.json() == {
        "id": entry_id,
        "name": "Sectigo Checkpoint",
        "description": "state",
        "owner": SERVICE_USER["id"],
        "ownerAccessOnly": False,
        "scope": "APP_ENGINE",
        "scopes": ["APP_ENGINE"],
        "type": "TOKEN",
        "allowContextlessRequests": True,
        "allowedEntities": [],
        "credentialUsageSummary": [],
    }
    listing = local.call("GET", CLASSIC, headers=DEPLOY)
    assert entry_id in listing.text
    assert SECRET not in listing.text + shown.text


def test_names_are_not_unique(local: Local) -> None:
    assert create(local) != create(local)


def test_a_put_replaces_the_whole_entry_and_omitted_fields_fall_back(local: Local) -> None:
    entry_id = create(local, ownerAccessOnly=True, allowedEntities=[{"type": "USER", "id": PERSON["email"]}])
    body = {"name": "Renamed", "type": "TOKEN", "scopes": ["APP_ENGINE"], "token": "next"}
    answer = local.call("PUT", f"{CLASSIC}/{entry_id}", headers=DEPLOY, json=body)
    shown = local.call("GET", f"{CLASSIC}/{entry_id}", headers=DEPLOY).json()

    assert (answer.status_code, answer.content) == (204, b"")
    assert (shown["name"], shown["description"], shown["ownerAccessOnly"]) == ("Renamed", "", False)
    assert (shown["allowContextlessRequests"], shown["allowedEntities"]) == (False, [])


def test_a_put_to_an_unknown_id_creates_the_entry_under_it(local: Local) -> None:
    entry_id = "CREDENTIALS_VAULT-0123456789ABCDEF"
    answer = local.call("PUT", f"{PLATFORM}/{entry_id}", headers=script(local), json=token_entry())

    assert (answer.status_code, answer.json()) == (201, {"id": entry_id})
    assert local.call("GET", f"{CLASSIC}/{entry_id}", headers=DEPLOY).status_code == 200


def test_a_put_to_an_unknown_id_can_be_made_a_404(local: Local) -> None:
    local.sim("PATCH", "options", {"vault_put_unknown": "refuse"})
    path = f"{CLASSIC}/CREDENTIALS_VAULT-0123456789ABCDEF"
    try:
        assert local.call("PUT", path, headers=DEPLOY, json=token_entry()).status_code == 404
    finally:
        local.sim("PATCH", "options", {"vault_put_unknown": "create"})


@pytest.mark.parametrize("id", ["CREDENTIALS_VAULT-0123456789ABCDEF", "nonsense"])
def test_an_unknown_entry_is_not_found(local: Local, id: str) -> None:
    for method in ("GET", "DELETE"):
        answer = local.call(method, f"{CLASSIC}/{id}", headers=DEPLOY)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, 404)
    assert details(local, id).status_code == 404


def test_a_deleted_entry_is_gone(local: Local) -> None:
    entry_id = create(local)
    answer = local.call("DELETE", f"{CLASSIC}/{entry_id}", headers=DEPLOY)

    assert (answer.status_code, answer.content) == (204, b"")
    assert local.call("GET", f"{CLASSIC}/{entry_id}", headers=DEPLOY).status_code == 404


def test_entries_survive_a_restart_and_their_secrets_are_not_in_the_file(local: Local) -> None:
    entry_id = create(local)
    local.stop()
    files = b"".join(path.read_bytes() for path in local.folder.glob("local-dynatrace.sqlite*"))
    local.start()

    assert SECRET.encode() not in files
    assert details(local, entry_id).json()["token"] == SECRET


# what a body must look like


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": 1}, "name"),
        ({"type": "SECRET"}, "type"),
        ({"scopes": []}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"scopes": ["ALL"]}, "scopes"),
        ({"token": None}, "token"),
        ({"token": ""}, "token"),
        ({"scopes": ["SYNTHETIC"]}, "allowContextlessRequests"),
        ({"ownerAccessOnly": "yes"}, "ownerAccessOnly"),
        ({"allowedEntities": {}}, "allowedEntities"),
        ({"allowedEntities": [{"type": "GROUP", "id": "a"}]}, "allowedEntities[0]"),
        ({"id": "CREDENTIALS_VAULT-0123456789ABCDEF"}, "id"),
        ({"user": "of another type"}, "user"),
    ],
)
def test_a_wrong_field_is_named(local: Local, changes: dict[str, Any], path: str) -> None:
    answer = local.call("POST", CLASSIC, headers=DEPLOY, json=token_entry(**changes))

    violations = answer.json()["error"]["constraintViolations"]
    assert answer.status_code == 400
    assert [(one["path"], one["parameterLocation"]) for one in violations] == [(path, "PAYLOAD_BODY")]
    assert SECRET not in answer.text


def test_everything_wrong_is_named_at_once(local: Local) -> None:
    answer = local.call("POST", CLASSIC, headers=DEPLOY, json={"type": "USERNAME_PASSWORD"})

    found = {one["path"] for one in answer.json()["error"]["constraintViolations"]}
    assert found == {"name", "scopes", "user", "password"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(local: Local, body: bytes) -> None:
    assert local.call("POST", CLASSIC, headers=DEPLOY, data=body).status_code == 400


def test_a_body_may_have_one_megabyte(local: Local) -> None:
    assert local.call("POST", CLASSIC, headers=DEPLOY, json=token_entry(token="x" * 1_000_000)).status_code == 201
    assert local.call("POST", CLASSIC, headers=DEPLOY, json=token_entry(token="x" * 1_048_576)).status_code == 413


def test_the_type_of_an_entry_stays(local: Local) -> None:
    body = {"name": "x", "type": "USERNAME_PASSWORD", "scopes": ["APP_ENGINE"], "user": "a", "password": "b"}

    assert local.call("PUT", f"{CLASSIC}/{create(local)}", headers=DEPLOY, json=body).status_code == 400


def test_other_types_are_said_to_be_missing_here(local: Local) -> None:
    answer = local.call("POST", CLASSIC, headers=DEPLOY, json=token_entry(type="SNMPV3"))

    assert answer.status_code == 501
    assert "SNMPV3" in answer.json()["error"]["message"]


# lists


def names(local: Local, headers: dict[str, str] = DEPLOY, **query: str) -> list[str]:
    answer = local.call("GET", CLASSIC, headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    return [entry["name"] for entry in answer.json()["credentials"]]


def test_a_list_comes_in_pages_and_the_key_carries_the_filters(local: Local) -> None:
    for number in range(5):
        create(local, name=f"Sectigo {number}")
    query: dict[str, str] = {"pageSize": "2", "name": '"sectigo "', "type": "TOKEN"}
    seen = []
    while query:
        page = local.call("GET", CLASSIC, headers=DEPLOY, params=query).json()
        seen += [entry["name"] for entry in page["credentials"]]
        query = {"nextPageKey": page["nextPageKey"]} if "nextPageKey" in page else {}
        assert (page["totalCount"], page["pageSize"]) == (5, 2)

    assert seen == [f"Sectigo {number}" for number in range(5)]


def test_filters_narrow_a_list(local: Local) -> None:
    create(local, name="Sectigo SCM Lock")
    create(local, name="Lock of the door", scopes=["SYNTHETIC"], allowContextlessRequests=False)

    assert names(local, name="SECTIGO") == ["Sectigo SCM Lock"]
    assert names(local, name="sectigo lock") == ["Sectigo SCM Lock", "Lock of the door"]
    assert names(local, name='"sectigo lock"') == []
    assert names(local, name='"scm lock"') == ["Sectigo SCM Lock"]
    assert names(local, scope="SYNTHETIC") == ["Lock of the door"]
    assert names(local, type="USERNAME_PASSWORD") == []


@pytest.mark.parametrize(
    "query",
    [
        {"pageSize": "0"},
        {"pageSize": "501"},
        {"pageSize": "many"},
        {"type": "SECRET"},
        {"nextPageKey": "forged"},
        {"nextPageKey": "eyJzaXplIjoxfQ==", "pageSize": "5"},
    ],
)
def test_a_wrong_list_query_is_refused(local: Local, query: dict[str, str]) -> None:
    assert local.call("GET", CLASSIC, headers=DEPLOY, params=query).status_code == 400


# scopes


def test_reading_and_writing_are_scopes_apart(local: Local) -> None:
    write_only, read_only = api_token(local, "credentialVault.write"), api_token(local, "credentialVault.read")
    entry_id = create(local, write_only)

    assert local.call("GET", f"{CLASSIC}/{entry_id}", headers=read_only).status_code == 200
    refused = local.call("GET", CLASSIC, headers=write_only)
    assert refused.status_code == 403
    assert refused.json()["error"]["message"].startswith(
        "Token is missing required scope. Use one of: credentialVault.read"
    )
    assert local.call("DELETE", f"{CLASSIC}/{entry_id}", headers=read_only).status_code == 403
    assert names(local, api_token(local, "ReadConfig"))


def test_the_apps_host_needs_the_viewer_role_too(local: Local) -> None:
    add_user(local, "no-viewer@nordhav.example", *VAULT_SCOPES)
    answer = local.call("GET", PLATFORM, headers=script(local, "no-viewer@nordhav.example"))

    assert answer.status_code == 403
    assert answer.json()["error"]["details"] == {"missingPermissions": [VIEWER]}


def test_an_api_token_is_no_use_on_the_apps_host(local: Local) -> None:
    answer = local.call("GET", PLATFORM, headers=DEPLOY)

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("Unsupported authorization scheme 'Api-Token'.")


# details


def test_details_give_a_script_the_secret(local: Local) -> None:
    body = {
        "name": "OAuth",
        "type": "USERNAME_PASSWORD",
        "scopes": ["APP_ENGINE"],
        "user": "client",
        "password": SECRET,
        "allowContextlessRequests": True,
    }
    pair = local.call("POST", CLASSIC, headers=DEPLOY, json=body).json()["id"]
    token = create(local)

    assert details(local, token).json()["token"] == SECRET
    found = details(local, pair).json()
    assert (found["username"], found["password"], found["owner"]) == ("client", SECRET, SERVICE_USER["id"])
    assert not {"user", "token", "scopes"} & found.keys()
    several = local.call("GET", f"{PLATFORM}/details", headers=script(local), params={"ids": f"{pair},{token}"}).json()
    assert [entry["id"] for entry in several["credentials"]] == [pair, token]


def test_the_live_host_gives_no_secret_out(local: Local) -> None:
    assert local.call("GET", f"{CLASSIC}/{create(local)}/details", headers=DEPLOY).status_code == 501


def test_details_are_for_the_scope_of_apps_only(local: Local) -> None:
    entry_id = create(local, scopes=["EXTENSION"], allowContextlessRequests=False)

    answer = details(local, entry_id)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith("unsupported scope. Only APP_ENGINE scope is supported.")


def test_details_need_an_entry_that_allows_contextless_requests(local: Local) -> None:
    assert details(local, create(local, allowContextlessRequests=False)).status_code == 403


def test_a_new_id_needs_some_seconds_before_scripts_know_it(local: Local) -> None:
    local.sim("PATCH", "options", {"credential_settles_s": 5.0})
    headers = script(local)
    try:
        entry_id = create(local)
        early = details(local, entry_id, headers)
        local.sim("POST", "clock", {"step": 4.9})
        still_early = details(local, entry_id, headers)
        local.sim("POST", "clock", {"step": 0.1})
        known = details(local, entry_id, headers)
        replaced = local.call("PUT", f"{CLASSIC}/{entry_id}", headers=DEPLOY, json=token_entry(token="next"))
        new_value = details(local, entry_id, headers)
    finally:
        local.sim("PATCH", "options", {"credential_settles_s": 0.0})

    assert [early.status_code, still_early.status_code, known.status_code] == [404, 404, 200]
    assert local.call("GET", f"{CLASSIC}/{entry_id}", headers=DEPLOY).status_code == 200
    assert (replaced.status_code, new_value.json()["token"]) == (204, "next")


# other people


def test_an_owner_only_entry_is_there_for_its_owner_alone(local: Local) -> None:
    vault_user(local)
    theirs = api_token(local, "credentialVault.read", "credentialVault.write", owner="colleague@nordhav.example")
    entry_id = create(local, ownerAccessOnly=True, name="Mine alone")

    assert "Mine alone" in names(local)
    assert "Mine alone" not in names(local, theirs)
    refused = [
        local.call("GET", f"{CLASSIC}/{entry_id}", headers=theirs),
        local.call("PUT", f"{CLASSIC}/{entry_id}", headers=theirs, json=token_entry()),
        local.call("DELETE", f"{CLASSIC}/{entry_id}", headers=theirs),
        details(local, entry_id, script(local, "colleague@nordhav.example")),
    ]
    assert [answer.status_code for answer in refused] == [403] * 4
    assert {answer.json()["error"]["message"] for answer in refused} == {
        "Requested credentials belong to another user."
    }


def test_a_shared_entry_is_used_by_those_it_names(local: Local) -> None:
    vault_user(local)
    vault_user(local, "stranger@nordhav.example")
    entry_id = create(local, allowedEntities=[{"type": "USER", "id": "Colleague@nordhav.example"}])

    assert details(local, entry_id).status_code == 200
    assert details(local, entry_id, script(local, "colleague@nordhav.example")).status_code == 200
    assert details(local, entry_id, script(local, "stranger@nordhav.example")).status_code == 403


def test_an_entry_open_to_all_is_used_by_every_viewer(local: Local) -> None:
    vault_user(local)

    assert details(local, create(local), script(local, "colleague@nordhav.example")).status_code == 200


def test_whoever_writes_becomes_the_owner(local: Local) -> None:
    colleague = vault_user(local)
    entry_id = create(local)
    theirs = api_token(local, "credentialVault.write", owner="colleague@nordhav.example")
    answer = local.call("PUT", f"{CLASSIC}/{entry_id}", headers=theirs, json=token_entry())

    assert answer.status_code == 204
    assert local.call("GET", f"{CLASSIC}/{entry_id}", headers=DEPLOY).json()["owner"] == colleague


@pytest.mark.parametrize(("more", "status"), [((), 403), (("environment:roles:manage-settings",), 204)])
def test_a_bearer_needs_a_permission_to_overwrite_another_users_entry(
    local: Local, more: tuple[str, ...], status: int
) -> None:
    vault_user(local, "colleague@nordhav.example", *more)
    path = f"{PLATFORM}/{create(local)}"
    headers = script(local, "colleague@nordhav.example")

    assert local.call("PUT", path, headers=headers, json=token_entry()).status_code == status


@pytest.mark.parametrize(("rule", "token", "script_"), [("anyone", 204, 204), ("nobody", 403, 403)])
def test_who_may_overwrite_anothers_entry_is_a_switch(local: Local, rule: str, token: int, script_: int) -> None:
    vault_user(local)
    theirs = api_token(local, "credentialVault.write", owner="colleague@nordhav.example")
    headers = script(local, "colleague@nordhav.example")
    first, second = create(local), create(local)
    local.sim("PATCH", "options", {"vault_foreign_write": rule})
    try:
        by_token = local.call("PUT", f"{CLASSIC}/{first}", headers=theirs, json=token_entry())
        by_script = local.call("PUT", f"{PLATFORM}/{second}", headers=headers, json=token_entry())
    finally:
        local.sim("PATCH", "options", {"vault_foreign_write": "token"})

    assert (by_token.status_code, by_script.status_code) == (token, script_)
