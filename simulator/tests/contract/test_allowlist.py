"""The outbound allowlist, as an infrastructure tool shares it with others."""

from __future__ import annotations

from typing import Any

import pytest

from .environment import Environment

SCHEMA = "builtin:dt-javascript-runtime.allowed-outbound-connections"
FIELDS = "objectId,value,updateToken,schemaId,schemaVersion,scope"
HOST = "contract-test.sectigo.example"


def read(environment: Environment) -> dict[str, Any]:
    query = {"schemaIds": SCHEMA, "scopes": "environment", "fields": FIELDS}
    answer = environment.classic("GET", "/settings/objects", params=query)
    assert answer.status_code == 200, answer.text
    if not answer.json()["items"]:
        pytest.skip("this environment has no allowlist object to share")
    found: dict[str, Any] = answer.json()["items"][0]
    if not found["value"]["allowedOutboundConnections"]["enforced"]:
        pytest.skip("this environment's allowlist is not enforced, so it has no hosts to add to")
    return found


def with_hosts(hosts: list[str]) -> dict[str, Any]:
    return {"allowedOutboundConnections": {"enforced": True, "hostList": hosts}}


def test_a_host_is_added_read_back_and_removed_and_the_others_stay(environment: Environment) -> None:
    before = read(environment)
    hosts = before["value"]["allowedOutboundConnections"]["hostList"]
    path = f"/settings/objects/{before['objectId']}"
    body = {"value": with_hosts([*hosts, HOST]), "updateToken": before["updateToken"]}
    try:
        put = environment.classic("PUT", path, json=body)
        assert (put.status_code, put.json()["objectId"]) == (200, before["objectId"])
        added = read(environment)
        assert set(added["value"]["allowedOutboundConnections"]["hostList"]) == {*hosts, HOST}

        stale = environment.classic("PUT", path, json=body)
        assert stale.status_code == 409
    finally:
        now = read(environment)
        left = [host for host in now["value"]["allowedOutboundConnections"]["hostList"] if host != HOST]
        environment.classic("PUT", path, json={"value": with_hosts(left), "updateToken": now["updateToken"]})
    assert set(read(environment)["value"]["allowedOutboundConnections"]["hostList"]) == set(hosts)


@pytest.mark.parametrize("host", ["*.com", "*", "https://a.example", "a.example/path", "api.*.example.com", "x" * 256])
def test_a_host_that_is_none_is_refused_with_its_place(environment: Environment, host: str) -> None:
    before = read(environment)
    body = {"value": with_hosts([host]), "updateToken": before["updateToken"]}

    answer = environment.classic(
        "PUT", f"/settings/objects/{before['objectId']}", json=body, params={"validateOnly": "true"}
    )

    assert answer.status_code == 400
    (problem,) = answer.json()["error"]["constraintViolations"]
    assert problem["path"].startswith(SCHEMA)
    assert read(environment)["value"] == before["value"]


def test_the_effective_value_and_the_schema_are_shown(environment: Environment) -> None:
    query = {"schemaIds": SCHEMA, "scope": "environment", "fields": "origin,value"}
    effective = environment.classic("GET", "/settings/effectiveValues", params=query)
    schema = environment.classic("GET", f"/settings/schemas/{SCHEMA}")

    assert effective.json()["items"][0]["value"] == read(environment)["value"]
    assert schema.json()["schemaId"] == SCHEMA
    assert schema.json()["maxObjects"] == 1
