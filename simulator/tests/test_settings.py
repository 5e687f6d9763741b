"""Settings: the outbound allowlist as an object, and what it lets through when."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local_dynatrace.kernel.identity import Principal
from local_dynatrace.kernel.options import Options
from local_dynatrace.kernel.store import Store
from local_dynatrace.kernel.world import World
from local_dynatrace.settings import hostnames, outbound, rules, setup
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, DEPLOY_TOKEN, SEED, SERVICE_USER, add_user, api_token, bearer

OBJECTS = "/api/v2/settings/objects"
SCHEMA = "builtin:dt-javascript-runtime.allowed-outbound-connections"
GROUP = f"{SCHEMA}/0/allowedOutboundConnections"
ALL_FIELDS = "objectId,value,updateToken,schemaId,schemaVersion,scope,created,modified,createdBy,modifiedBy,author"
Value = dict[str, Any]


def value(*hosts: str) -> Value:
    return {"allowedOutboundConnections": {"enforced": True, "hostList": list(hosts)}}


def item(content: Any, **more: Any) -> dict[str, Any]:
    return {"schemaId": SCHEMA, "scope": "environment", "value": content, **more}


def listed(local: Local, fields: str = ALL_FIELDS, **query: str) -> list[dict[str, Any]]:
    query = {"schemaIds": SCHEMA, "scopes": "environment", "fields": fields, **query}
    answer = local.call("GET", OBJECTS, headers=DEPLOY, params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["totalCount"], body["pageSize"], "nextPageKey" in body) == (len(body["items"]), 100, False)
    return list(body["items"])


def the_object(local: Local) -> dict[str, Any]:
    return listed(local)[0]


def put(local: Local, object_id: str, body: Any, **query: str) -> Any:
    return local.call("PUT", f"{OBJECTS}/{quote(object_id)}", headers=DEPLOY, json=body, params=query)


def delete(local: Local, object_id: str, **query: str) -> Any:
    return local.call("DELETE", f"{OBJECTS}/{object_id}", headers=DEPLOY, params=query)


def hosts(local: Local) -> list[str]:
    found: list[str] = the_object(local)["value"]["allowedOutboundConnections"]["hostList"]
    return found


def without_object(local: Local) -> None:
    assert delete(local, the_object(local)["objectId"]).status_code == 204


# reading


def test_the_list_shows_object_id_and_value_and_more_only_if_asked(local: Local) -> None:
    answer = local.call("GET", OBJECTS, headers=DEPLOY, params={"schemaIds": SCHEMA})

    (shown,) = answer.json()["items"]
    assert shown.keys() == {"objectId", "value"}
    assert shown["value"] == value(*SEED["others"]["allowed_hosts"])
    assert set(the_object(local)) == set(ALL_FIELDS.split(","))


def test_one_object_is_shown_whole(local: Local) -> None:
    expected = the_object(local)
    shown = local.call("GET", f"{OBJECTS}/{expected['objectId']}", headers=DEPLOY).json()

    assert {key: shown[key] for key in expected} == expected
    assert (shown["schemaVersion"], shown["scope"]) == ("1.0.5", "environment")
    assert isinstance(shown["created"], int)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"schemaIds": "builtin:no-such-schema"}, 404),
        ({"schemaIds": SCHEMA, "scopes": "HOST-D3A3C5A146830A79"}, 404),
        ({"schemaIds": SCHEMA, "fields": "value,colour"}, 400),
        ({"schemaIds": SCHEMA, "pageSize": "501"}, 400),
        ({"nextPageKey": "forged"}, 400),
    ],
)
def test_a_wrong_list_query_is_refused(local: Local, query: dict[str, str], status: int) -> None:
    answer = local.call("GET", OBJECTS, headers=DEPLOY, params=query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)


def test_an_unknown_object_is_not_found(local: Local) -> None:
    assert local.call("GET", f"{OBJECTS}/unknown", headers=DEPLOY).json()["error"]["code"] == 404
    assert put(local, "unknown", {"value": value()}).json()["code"] == 404
    assert delete(local, "unknown").json()["code"] == 404


def test_effective_values_fall_back_to_the_default_of_the_schema(local: Local) -> None:
    def effective() -> Any:
        query = {"schemaIds": SCHEMA, "scope": "environment"}
        return local.call("GET", "/api/v2/settings/effectiveValues", headers=DEPLOY, params=query).json()["items"]

    (persisted,) = effective()
    without_object(local)
    (default,) = effective()

    assert persisted["value"] == value(*SEED["others"]["allowed_hosts"])
    assert default["value"] == value()
    assert listed(local) == []


def test_the_schema_is_the_public_one(local: Local) -> None:
    shown = local.call("GET", f"/api/v2/settings/schemas/{SCHEMA}", headers=DEPLOY).json()
    listing = local.call("GET", "/api/v2/settings/schemas", headers=DEPLOY).json()

    assert (shown["version"], shown["multiObject"], shown["maxObjects"]) == ("1.0.5", False, 1)
    types, group = shown["types"], shown["properties"]["allowedOutboundConnections"]
    assert group["type"]["$ref"] == "#/types/AllowedHostsList"
    assert "default" not in group
    properties = types["AllowedHostsList"]["properties"]
    assert properties["hostList"]["maxObjects"] == 100
    assert [properties[name]["displayName"] for name in ("enforced", "hostList")] == [
        "Limit outbound connections to endpoints in the allowlist", "Allowlist",
    ]  # fmt: skip
    assert {each["modificationPolicy"] for each in (group, *properties.values())} == {"DEFAULT"}
    assert SCHEMA in [one["schemaId"] for one in listing["items"]]
    assert local.call("GET", "/api/v2/settings/schemas/builtin:other", headers=DEPLOY).status_code == 404


# writing


def test_a_put_with_the_update_token_changes_the_value_and_the_token(local: Local) -> None:
    before = the_object(local)
    answer = put(
        local,
        before["objectId"],
        {"value": value("a.example"), "updateToken": before["updateToken"], "schemaVersion": "1.0.5"},
    )
    after = the_object(local)

    assert (answer.status_code, answer.json()) == (200, {"code": 200, "objectId": before["objectId"]})
    assert after["value"] == value("a.example")
    assert after["updateToken"] != before["updateToken"]
    assert after["author"] == ".".join(DEPLOY_TOKEN.split(".")[:2])
    assert (after["createdBy"], after["modifiedBy"]) == (before["createdBy"], SERVICE_USER["id"])


def test_a_stale_update_token_is_a_conflict_and_changes_nothing(local: Local) -> None:
    before = the_object(local)
    put(local, before["objectId"], {"value": value("first.example")})
    late = put(local, before["objectId"], {"value": value("second.example"), "updateToken": before["updateToken"]})
    late_delete = delete(local, before["objectId"], updateToken=before["updateToken"])

    assert (late.status_code, late.json()["code"], late.json()["error"]["code"]) == (409, 409, 409)
    assert late_delete.status_code == 409
    assert hosts(local) == ["first.example"]


def test_without_update_token_the_last_writer_wins(local: Local) -> None:
    object_id = the_object(local)["objectId"]
    put(local, object_id, {"value": value("first.example")})

    assert put(local, object_id, {"value": value("second.example")}).status_code == 200
    assert hosts(local) == ["second.example"]


def test_a_post_makes_the_object_where_there_is_none(local: Local) -> None:
    without_object(local)
    body = [item(value("audit.demo.sectigo.com", "*.sectigo.com"), externalId="ours")]
    answer = local.call("POST", OBJECTS, headers=DEPLOY, json=body, params={"repairInput": "true"})

    (created,) = answer.json()
    assert answer.status_code == 200
    assert created == {"code": 200, "objectId": the_object(local)["objectId"]}
    assert listed(local, externalIds="ours")
    assert listed(local, externalIds="theirs") == []


def test_a_post_over_the_existing_object_replaces_its_value(local: Local) -> None:
    object_id = the_object(local)["objectId"]
    answer = local.call("POST", OBJECTS, headers=DEPLOY, json=[item(value("mine.example"))])

    assert answer.json() == [{"code": 200, "objectId": object_id}]
    assert hosts(local) == ["mine.example"]


def test_a_post_over_the_existing_object_can_be_made_a_conflict(local: Local) -> None:
    local.sim("PATCH", "options", {"settings_post_existing": "conflict"})
    try:
        answer = local.call("POST", OBJECTS, headers=DEPLOY, json=[item(value("mine.example"))])
    finally:
        local.sim("PATCH", "options", {"settings_post_existing": "update"})

    assert (answer.status_code, answer.json()[0]["code"]) == (409, 409)
    assert hosts(local) == SEED["others"]["allowed_hosts"]


def test_a_post_of_a_known_external_id_updates_its_object(local: Local) -> None:
    without_object(local)
    for host in ("one.example", "two.example"):
        answer = local.call("POST", OBJECTS, headers=DEPLOY, json=[item(value(host), externalId="ours")])
        assert answer.status_code == 200

    assert hosts(local) == ["two.example"]


def test_items_that_end_differently_are_a_multi_status(local: Local) -> None:
    body = [item(value("a.example")), item(value("not/a/host")), {**item(value()), "schemaId": "builtin:other"}]
    answer = local.call("POST", OBJECTS, headers=DEPLOY, json=body)

    assert answer.status_code == 207
    assert [one["code"] for one in answer.json()] == [200, 400, 404]
    assert hosts(local) == ["a.example"]


def test_validate_only_changes_nothing(local: Local) -> None:
    object_id = the_object(local)["objectId"]
    query = {"validateOnly": "true"}
    posted = local.call("POST", OBJECTS, headers=DEPLOY, json=[item(value("a.example"))], params=query)
    refused = local.call("POST", OBJECTS, headers=DEPLOY, json=[item(value("*"))], params=query)

    assert put(local, object_id, {"value": value("a.example")}, validateOnly="true").status_code == 200
    assert (posted.status_code, refused.status_code) == (200, 400)
    assert hosts(local) == SEED["others"]["allowed_hosts"]


# values


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (None, f"{SCHEMA}/0"),
        ({}, GROUP),
        ({**value(), "more": 1}, f"{SCHEMA}/0/more"),
        ({"allowedOutboundConnections": {"hostList": []}}, f"{GROUP}/enforced"),
        ({"allowedOutboundConnections": {"enforced": "true", "hostList": []}}, f"{GROUP}/enforced"),
        ({"allowedOutboundConnections": {"enforced": True}}, f"{GROUP}/hostList"),
        ({"allowedOutboundConnections": {"enforced": False, "hostList": ["a.example"]}}, f"{GROUP}/hostList"),
        (value(*(f"host{number}.example" for number in range(101))), f"{GROUP}/hostList"),
        (value("a.example", "a.example"), f"{GROUP}/hostList/1"),
        (value("https://a.example"), f"{GROUP}/hostList/0"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(local: Local, content: Any, path: str) -> None:
    object_id = the_object(local)["objectId"]
    single = put(local, object_id, {"value": content})
    several = local.call("POST", OBJECTS, headers=DEPLOY, json=[item(content)])

    assert (single.status_code, several.status_code) == (400, 400)
    (error,) = several.json()
    assert error["error"] == single.json()["error"]
    assert error["error"]["message"] == "Validation failed for 1 Validators."
    assert [one["path"] for one in error["error"]["constraintViolations"]] == [path]
    assert error.get("invalidValue") == content


def test_a_hundred_hosts_are_the_limit(local: Local) -> None:
    full = value(*(f"host{number}.example" for number in range(100)))

    assert put(local, the_object(local)["objectId"], {"value": full}).status_code == 200


def test_without_enforcement_there_is_no_list(local: Local) -> None:
    off = {"allowedOutboundConnections": {"enforced": False}}

    assert put(local, the_object(local)["objectId"], {"value": off}).status_code == 200
    assert the_object(local)["value"] == off


@pytest.mark.parametrize("entry", ["audit.demo.sectigo.com", "*.sectigo.com", "*.api.example.com", "10.1.2.3", "::1"])
def test_domain_names_addresses_and_leading_wildcards_are_entries(entry: str) -> None:
    assert hostnames.problem(entry) is None


@pytest.mark.parametrize(
    "entry",
    [
        "", "*", "*.com", "*api.x.com", "api.*.x.com", "api.*", "123.*.1.1", "https://a.example", "a.example/path",
        "a.example:443", "a..example", ".a.example", "a.example.", "-a.example", "a b.example", f"{'a' * 64}.example",
        f"{'a.' * 127}toolong",
    ],
)  # fmt: skip
def test_anything_else_is_no_entry(entry: str) -> None:
    assert hostnames.problem(entry)


# rights


def test_reading_and_writing_are_scopes_apart(local: Local) -> None:
    reader = api_token(local, "settings.read")
    query = {"schemaIds": SCHEMA}

    assert local.call("GET", OBJECTS, headers=reader, params=query).status_code == 200
    refused = local.call("POST", OBJECTS, headers=reader, json=[item(value())])
    assert refused.status_code == 403
    assert refused.json()["error"]["message"] == (
        "Token is missing required scope. Use one of: settings.write (Write settings)"
    )
    assert local.call("GET", OBJECTS, headers=api_token(local, "settings.write"), params=query).status_code == 403


def test_the_apps_host_takes_a_bearer_of_a_user_who_may(local: Local) -> None:
    path = "/platform/classic/environment-api/v2/settings/objects"
    scopes = ("settings:objects:read", "settings:objects:write")
    query = {"schemaIds": SCHEMA, "fields": "objectId,updateToken"}
    add_user(local, "admin@nordhav.example", "environment:roles:manage-settings")
    admin = bearer(local, *scopes, user="admin@nordhav.example")
    add_user(local, "nobody@nordhav.example")
    nobody = bearer(local, *scopes, user="nobody@nordhav.example")

    (found,) = local.call("GET", path, headers=admin, params=query).json()["items"]
    body = {"value": value("a.example"), "updateToken": found["updateToken"]}
    assert local.call("PUT", f"{path}/{found['objectId']}", headers=admin, json=body).status_code == 200
    refused = local.call("GET", path, headers=nobody, params=query)
    assert refused.json()["error"]["details"] == {"missingPermissions": ["settings:objects:read"]}


# what scripts may reach


WHO = Principal("somebody", "bearer", frozenset(), "test")


@pytest.fixture
def world(tmp_path: Path) -> Any:
    world = World(Options(), Store(tmp_path / "state.sqlite"))
    world.clock.set_mode("frozen")
    setup(world)
    yield world
    world.store.close()


def post(world: World, content: Value) -> str:
    object_id = rules.create(world, item(content), 0, WHO, validate_only=False)
    assert object_id
    return object_id


def test_without_an_object_nothing_can_be_reached(world: World) -> None:
    assert outbound.allowed_outbound(world) == (True, frozenset())
    assert not outbound.host_allowed(world, "audit.demo.sectigo.com")


def test_an_added_host_works_after_ten_seconds(world: World) -> None:
    post(world, value("a.example"))

    world.clock.step(9.9)
    assert not outbound.host_allowed(world, "a.example")
    world.clock.step(0.1)
    assert outbound.host_allowed(world, "A.Example")


def test_a_removed_host_works_for_ten_seconds_more(world: World) -> None:
    object_id = post(world, value("a.example"))
    world.clock.step(10)
    rules.delete(world, object_id, WHO, None)

    world.clock.step(9.9)
    assert outbound.host_allowed(world, "a.example")
    world.clock.step(0.1)
    assert not outbound.host_allowed(world, "a.example")


def test_quick_changes_take_effect_one_after_the_other(world: World) -> None:
    object_id = post(world, value("a.example"))
    world.clock.step(4)
    rules.replace(world, object_id, {"value": value("b.example")}, WHO, validate_only=False)

    effective = []
    for _ in range(5):
        effective.append(sorted(outbound.allowed_outbound(world)[1]))
        world.clock.step(3)
    assert effective == [[], [], ["a.example"], ["a.example"], ["b.example"]]


def test_a_clock_that_is_set_back_forgets_no_host(world: World) -> None:
    post(world, value("a.example"))
    world.clock.step(10)
    world.clock.step(-3600)

    assert outbound.host_allowed(world, "a.example")


def test_without_enforcement_every_host_can_be_reached(world: World) -> None:
    post(world, {"allowedOutboundConnections": {"enforced": False}})
    world.clock.step(10)

    assert outbound.host_allowed(world, "anywhere.example")


@pytest.mark.parametrize(
    ("host", "one", "any_"),
    [
        ("audit.sectigo.com", True, True),
        ("audit.demo.sectigo.com", False, True),
        ("sectigo.com", False, False),
        ("xsectigo.com", False, False),
        ("sectigo.com.evil.example", False, False),
    ],
)
def test_how_deep_a_wildcard_reaches_is_a_switch(world: World, host: str, one: bool, any_: bool) -> None:
    outbound.plant(world, ["*.sectigo.com"], WHO)

    assert outbound.host_allowed(world, host) is one
    world.options.wildcard_depth = "any"
    assert outbound.host_allowed(world, host) is any_
