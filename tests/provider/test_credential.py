"""Vault entries: created once, replaced as a whole, never duplicated; only the script writes its own values."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import bearer
from providers.api.environment import Environment
from providers.api.errors import DynatraceError, EngineGone, Refused
from providers.credential import (
    ConfigCredentialProvider,
    StateCredentialProvider,
    TokenCredentialProvider,
)
from tests.provider.conftest import DEPLOY, access, connect, entry, named, place, vault

TOKEN = TokenCredentialProvider()
STATE = StateCredentialProvider()
CONFIG = ConfigCredentialProvider()
NAME = "Sectigo SCM Entry"


def token_props(local: Local, **more: Any) -> dict[str, Any]:
    return entry(place(local), "Entry", token="first", **more)


def state_props(local: Local, **more: Any) -> dict[str, Any]:
    return entry(place(local), "Entry", **{"firstValue": "NONE", "workflow": "none", "missed": "", **more})


def value(local: Local, id: str) -> str:
    """The secret, as a script reads it."""
    headers = bearer(local, "environment-api:credentials:read")
    answer = local.call("GET", f"/platform/classic/environment-api/v2/credentials/{id}/details", headers=headers)
    assert answer.ok, answer.text
    return str(answer.json()["token"])


@pytest.mark.parametrize(
    "fault",
    [
        {"cut": "after"},
        {"status": 500, "when": "after"},
        {"status": 503},
        {"status": 429, "headers": {"Retry-After": "3"}},
        {"status": 429, "headers": {"Retry-After": "(a date)"}},
        {"status": 503, "when": "after"},
    ],
)
def test_a_lost_answer_creates_no_duplicate(local: Local, environment: Environment, fault: dict[str, Any]) -> None:
    if "headers" in fault and "date" in fault["headers"]["Retry-After"]:
        moment = datetime.now(UTC) + timedelta(seconds=2)
        fault = {**fault, "headers": {"Retry-After": format_datetime(moment, usegmt=True)}}
    rule = local.sim("POST", "faults", {"api": "vault", "method": "POST", **fault})

    id, _ = TOKEN.create_object(environment, token_props(local))

    assert [found["id"] for found in named(local, NAME)] == [id]
    assert [rule["hit"] for rule in local.sim("GET", "faults")["faults"]] == [1], rule


@pytest.mark.parametrize("fault", [{"cut": "before"}, {"status": 500}, {"status": 502}, {"status": 504}])
def test_an_entry_that_may_exist_is_not_created_again_but_looked_up_by_the_next_up(
    local: Local, environment: Environment, fault: dict[str, Any]
) -> None:
    local.sim("POST", "faults", {"api": "vault", "method": "POST", **fault})

    with pytest.raises(
        DynatraceError, match=r"it is unknown whether vault entry “Sectigo SCM Entry” was created \(POST "
    ):
        TOKEN.create_object(environment, token_props(local))
    assert named(local, NAME) == []
    TOKEN.create_object(connect(local), token_props(local))

    assert len(named(local, NAME)) == 1


@pytest.mark.parametrize("stale", [2, None])
def test_a_stale_listing_creates_no_duplicate(local: Local, environment: Environment, stale: int | None) -> None:
    environment.vault.entries()
    local.sim("POST", "faults", {"api": "vault", "method": "POST", "cut": "after"})
    local.sim("POST", "faults", {"api": "vault", "method": "GET", "stale": True, "times": stale})

    if stale:
        TOKEN.create_object(environment, token_props(local))
    else:
        with pytest.raises(
            DynatraceError, match=r"did not appear within 10 s; run `pulumi up` again, which looks for it$"
        ):
            TOKEN.create_object(environment, token_props(local))
    local.sim("DELETE", "faults")

    assert len(named(local, NAME)) == 1


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"cut": "after"}, {"cut": "before"}])
def test_a_transient_failure_of_a_replacement_is_retried(
    local: Local, environment: Environment, fault: dict[str, Any]
) -> None:
    id, _ = TOKEN.create_object(environment, token_props(local))
    local.sim("POST", "faults", {"api": "vault", "method": "PUT", "times": 3, **fault})

    TOKEN.update_object(environment, id, {}, {**token_props(local), "token": "second"})

    assert value(local, id) == "second"


def test_a_lasting_failure_ends_after_a_few_tries_and_shows_no_secret(local: Local, environment: Environment) -> None:
    id, _ = TOKEN.create_object(environment, token_props(local))
    body = {"error": {"code": 500, "message": f"Internal Server Error with {DEPLOY}"}}
    local.sim("POST", "faults", {"api": "vault", "method": "PUT", "times": None, "status": 500, "body": body})

    with pytest.raises(DynatraceError) as caught:
        TOKEN.update_object(environment, id, {}, token_props(local))

    assert DEPLOY not in str(caught.value)
    assert f"PUT /api/v2/credentials/{id} answered 500: Internal Server Error with [secret]" in str(caught.value)
    assert local.sim("GET", "faults")["faults"][0]["hit"] == 5


def test_an_entry_that_was_deleted_in_between_is_not_left_behind(local: Local, environment: Environment) -> None:
    id, _ = TOKEN.create_object(environment, token_props(local))
    environment.vault.delete(id)

    with pytest.raises(DynatraceError, match="was deleted outside Pulumi; run `pulumi up --refresh`"):
        TOKEN.update_object(environment, id, {}, token_props(local))

    assert named(local, NAME) == []


def test_five_entries_created_at_once_are_written_one_after_the_other(local: Local, environment: Environment) -> None:
    """The vault answers parallel writes with failures (terraform-provider-dynatrace commit 788edd8)."""
    local.sim("DELETE", "requests")
    threads = [
        threading.Thread(
            target=TOKEN.create_object, args=(environment, {**token_props(local), "name": f"{NAME} {number}"})
        )
        for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    calls = [(line["method"], line["path"]) for line in local.sim("GET", "requests", api="vault")["requests"]]
    assert len([found for found in vault(local) if found["name"].startswith(NAME)]) == 5
    assert calls.count(("GET", "/api/v2/credentials")) == 1, "one listing for all look-ups"


def test_an_entry_of_ours_is_used_again_with_its_value(local: Local) -> None:
    first, _ = STATE.create_object(connect(local), state_props(local))

    again, _ = STATE.create_object(connect(local), state_props(local, firstValue="ANOTHER"))

    assert again == first
    assert value(local, first) == "NONE"


def test_a_state_entry_is_written_by_no_change(local: Local, environment: Environment) -> None:
    id, _ = STATE.create_object(environment, state_props(local))
    local.sim("DELETE", "requests")

    STATE.update_object(environment, id, state_props(local), state_props(local, firstValue="X", purpose="new"))

    assert not STATE.diff(id, state_props(local), state_props(local, firstValue="X", purpose="new")).changes
    assert local.sim("GET", "requests")["requests"] == []
    assert value(local, id) == "NONE"


@pytest.mark.parametrize("provider", [STATE, CONFIG])
def test_a_change_of_its_access_is_refused_with_the_reason(local: Local, provider: Any) -> None:
    olds = state_props(local)

    failures = provider.check(olds, {**olds, "ownerAccessOnly": True}).failures

    assert [failure.property for failure in failures] == [""], "a named property would print its value"
    assert failures[0].reason.startswith("credentialsOwnerOnly cannot change from False to True. The entry holds a")


def test_a_move_to_another_environment_or_name_is_refused_with_the_reason(local: Local) -> None:
    olds = token_props(local)

    failures = TOKEN.check(olds, {**olds, "environment": "https://b.live.dynatrace.com", "connector": "B"}).failures

    assert [failure.reason.split(" cannot")[0] for failure in failures] == ["dynatraceEnvironmentUrl", "name"]
    assert all("deploy a new stack there, then destroy this one" in failure.reason for failure in failures)


def test_another_form_of_the_same_address_is_no_move(local: Local) -> None:
    olds = {**token_props(local), "environment": "https://a.live.dynatrace.com.:443"}

    assert TOKEN.check(olds, {**olds, "environment": "https://a.live.dynatrace.com"}).failures == []


def test_changed_metadata_is_reported_field_by_field_and_repaired(local: Local, environment: Environment) -> None:
    props = token_props(local)
    id, _ = TOKEN.create_object(environment, props)
    assert TOKEN.read_object(environment, id, props) == {}
    edited = {"name": "Renamed", "type": "TOKEN", "description": "Mine now", "scopes": ["SYNTHETIC"], "token": "x"}
    headers = {"Authorization": f"Api-Token {DEPLOY}"}
    assert local.call("PUT", f"/api/v2/credentials/{id}", headers=headers, json=edited).status_code == 204

    live = TOKEN.read_object(environment, id, props)
    assert live is not None
    assert live.pop("access").startswith("closed to workflow scripts")
    assert live == {"name": "Renamed", "purpose": "Mine now"}
    assert TOKEN.diff(id, {**props, **live}, props).changes

    TOKEN.update_object(environment, id, {**props, **live}, props)
    assert TOKEN.read_object(environment, id, props) == {}
    assert value(local, id) == "first"


def test_changed_metadata_of_a_state_entry_is_reported_and_left_unchanged(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    props = state_props(local)
    id, _ = STATE.create_object(environment, props)

    assert STATE.read_object(environment, id, {**props, "purpose": "Another purpose."}) == {}

    told = capsys.readouterr().out
    assert "description “For a test. [Pulumi sectigo-dynatrace/test]” instead of “Another purpose." in told
    assert "Left unchanged, as writing it would overwrite its value" in told


def test_the_workflow_config_is_replaced_only_by_its_own_keys_and_says_so(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    props = entry(place(local), "Entry", value='{"maxRetries": 3}')

    assert not CONFIG.diff("id", props, {**props, "purpose": "new"}).changes
    assert capsys.readouterr().out == ""
    assert CONFIG.diff("id", props, {**props, "value": '{"maxRetries": 5}'}).changes
    assert 'will be replaced as a whole by {"maxRetries": 5}: edits that were made in the vault are lost' in (
        capsys.readouterr().out
    )


def test_a_vendors_entry_is_adopted_only_if_named_and_differences_are_reported(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"Authorization": f"Api-Token {DEPLOY}"}
    theirs = {
        "name": NAME,
        "type": "TOKEN",
        "description": "Checkpoint of the sync",
        "scopes": ["APP_ENGINE"],
        "allowContextlessRequests": True,
        "token": "2026-01-29T09:44:11.611092Z|9d3cd09c",
    }
    id = local.call("POST", "/api/v2/credentials", headers=headers, json=theirs).json()["id"]

    with pytest.raises(Refused, match=f"pulumi config set --path adopt.scm {id}"):
        STATE.create_object(connect(local), state_props(local))
    taken, _ = STATE.create_object(connect(local), state_props(local, adopt=id))

    assert taken == id
    assert value(local, id) == theirs["token"]
    assert "Left unchanged, with: description “Checkpoint of the sync” instead of" in capsys.readouterr().out


def test_an_adopted_workflow_config_keeps_its_settings_and_says_so(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    props = entry(place(local), "Entry", value='{"maxRetries": 3, "initHistoryDuration": "2h"}')
    id, _ = CONFIG.create_object(environment, props)

    CONFIG.create_object(connect(local), {**props, "value": '{"maxRetries": 5, "initHistoryDuration": "2h"}'})

    assert value(local, id) == props["value"]
    assert "keeps its own settings: maxRetries, initHistoryDuration of the stack config are not applied" in (
        capsys.readouterr().out
    )


def test_nothing_is_written_once_the_engine_is_gone(local: Local) -> None:
    def gone() -> None:
        raise EngineGone("gone")

    before = local.sim("GET", "dump")
    orphan = Environment(access(local), before_write=gone)

    with pytest.raises(EngineGone):
        TOKEN.create_object(orphan, token_props(local))

    assert local.sim("GET", "dump") == before
