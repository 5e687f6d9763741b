"""The dashboard: looked up before it is created, ours by its mark; edits by people are shown first."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import add_user, bearer
from providers.api.environment import Environment
from providers.api.errors import Refused
from providers.dashboard import DashboardProvider
from tests.provider.conftest import connect, place
from workflow_src.watch.dashboard import content

DASHBOARD = DashboardProvider()
URL = "/platform/document/v1"
ID = "scm-audit-test-0"
SCOPES = ("document:documents:read", "document:documents:write", "document:documents:delete")
TRASH = ("document:trash.documents:read", "document:trash.documents:delete")


def props_of(local: Local, **changes: Any) -> dict[str, Any]:
    values = {
        **place(local),
        "name": "Sectigo SCM Audit",
        "purpose": "For a test.",
        "documentId": ID,
        "content": content(),
        "workflow": "11111111-2222-4333-8444-555555555555",
        "public": True,
    }
    return {**values, **changes}


def create(environment: Environment, props: dict[str, Any]) -> dict[str, Any]:
    """The stored properties of a dashboard that has just been created."""
    id, outputs = DASHBOARD.create_object(environment, props)
    assert id == ID
    return {**props, **outputs}


def live(local: Local, part: str = "content") -> Any:
    answer = local.call("GET", f"{URL}/documents/{ID}/{part}", headers=bearer(local, *SCOPES))
    return None if answer.status_code == 404 else answer.json()


def edit(local: Local, tile: str, **more: Any) -> None:
    """As somebody who edits a tile in Dynatrace."""
    changed = live(local)
    changed["tiles"][tile].update(more)
    save(local, changed)


def save(local: Local, changed: Any) -> None:
    query = {"optimistic-locking-version": str(live(local, "metadata")["version"])}
    files = {"content": ("content.json", json.dumps(changed), "application/json")}
    answer = local.call("PATCH", f"{URL}/documents/{ID}", headers=bearer(local, *SCOPES), params=query, files=files)
    assert answer.ok, answer.text


def test_it_is_created_for_everybody_with_the_workflow_in_its_queries(local: Local, environment: Environment) -> None:
    props = create(environment, props_of(local))

    metadata = live(local, "metadata")
    assert metadata["isPrivate"] is False
    assert metadata["description"] == "For a test. [Pulumi sectigo-dynatrace/test]"
    assert props["workflow"] in json.dumps(live(local))
    assert "[[" not in json.dumps(live(local))
    assert set(DASHBOARD.read_object(environment, ID, props)) <= {"version"}


@pytest.mark.parametrize("known", [True, False], ids=["with makePublic", "before makePublic"])
def test_it_is_public_with_servers_of_both_kinds(local: Local, environment: Environment, known: bool) -> None:
    local.sim("PATCH", "options", {"document_make_public": known})
    props = create(environment, props_of(local))

    assert live(local, "metadata")["isPrivate"] is False
    assert DASHBOARD.update_object(environment, ID, props, {**props, "name": "Other"})["version"] > 1


def test_a_lost_state_takes_it_again_and_says_what_differs(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    create(connect(local), props_of(local))
    edit(local, "1", title="Number of records")

    create(connect(local), props_of(local))

    said = capsys.readouterr().out
    assert "adopted; tile “Number of records” was removed; tile “Records” was added" in said
    assert live(local)["tiles"]["1"]["title"] == "Records"


def test_an_edit_is_shown_by_a_refresh_tile_by_tile(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    props = create(environment, props_of(local))
    edit(local, "1", query="fetch logs")
    moved = live(local)
    moved["layouts"]["2"]["w"] = 5
    save(local, moved)

    found = DASHBOARD.read_object(environment, ID, props)

    said = capsys.readouterr().out
    assert "tile “Records”: other query; tile “Failed”: other place" in said
    assert found["content"]["tiles"]["1"]["query"] == "fetch logs"


def test_an_edit_that_no_refresh_has_seen_is_not_overwritten(local: Local, environment: Environment) -> None:
    props = create(environment, props_of(local))
    edit(local, "1", query="fetch logs")
    wanted = copy.deepcopy(props)
    wanted["content"]["tiles"]["2"]["title"] = "New title"

    with pytest.raises(Refused, match=r"was edited in Dynatrace: tile “Records”: other query\. pulumi up --refresh"):
        DASHBOARD.update_object(environment, ID, props, wanted)
    assert live(local)["tiles"]["1"]["query"] == "fetch logs"

    seen = {**props, **DASHBOARD.read_object(environment, ID, props)}
    DASHBOARD.update_object(environment, ID, seen, wanted)
    assert live(local)["tiles"]["1"]["query"] == props["content"]["tiles"]["1"]["query"]
    assert live(local)["tiles"]["2"]["title"] == "New title"


def test_a_version_without_an_edit_does_not_stop_an_update(local: Local, environment: Environment) -> None:
    props = create(environment, props_of(local))
    save(local, live(local))

    DASHBOARD.update_object(environment, ID, props, {**props, "name": "Other"})

    assert live(local, "metadata")["name"] == "Other"


def test_a_document_of_somebody_else_with_our_id_is_refused(local: Local, environment: Environment) -> None:
    theirs = props_of(local, **place(local, stack="sectigo-dynatrace/other"))
    create(environment, theirs)

    with pytest.raises(Refused, match="belongs to Pulumi stack sectigo-dynatrace/other"):
        create(connect(local), props_of(local))
    with pytest.raises(Refused, match="now belongs to Pulumi stack sectigo-dynatrace/other"):
        DASHBOARD.delete_object(environment, ID, props_of(local))


def test_a_copied_state_deletes_nothing_of_the_stack_that_deployed_last(local: Local, environment: Environment) -> None:
    one, copy_of_it = (props_of(local, **place(local, stack=f"p/{name}#11111111")) for name in ("dev", "copy"))
    deployed = create(environment, one)
    DASHBOARD.update_object(environment, ID, deployed, {**deployed, **copy_of_it})

    with pytest.raises(Refused, match="now belongs to Pulumi stack p/copy#11111111; this is p/dev#11111111"):
        DASHBOARD.delete_object(environment, ID, deployed)


def test_a_renamed_stack_finds_its_dashboard_after_its_state_was_lost(local: Local, environment: Environment) -> None:
    create(environment, props_of(local, **place(local, stack="p/dev#11111111")))
    renamed = props_of(local, **place(local, stack="p/prod#22222222"), documentId="scm-audit-prod-0")

    found, _ = DASHBOARD.create_object(connect(local), {**renamed, "formerStack": "p/prod#11111111"})

    assert found == ID
    assert live(local, "metadata")["description"] == "For a test. [Pulumi p/prod#22222222]"


def test_a_private_document_of_another_user_with_our_id_is_refused(local: Local, environment: Environment) -> None:
    add_user(local, "somebody@nordhav.example", *SCOPES)
    headers = bearer(local, *SCOPES, user="somebody@nordhav.example")
    files = {"content": ("content.json", "{}", "application/json")}
    answer = local.call(
        "POST", f"{URL}/documents", headers=headers, data={"id": ID, "name": "Mine", "type": "dashboard"}, files=files
    )
    assert answer.status_code == 201, answer.text

    with pytest.raises(Refused, match="in use by another user's document"):
        create(environment, props_of(local))


def test_a_deleted_one_leaves_nothing_and_can_be_created_again(local: Local, environment: Environment) -> None:
    props = create(environment, props_of(local))

    DASHBOARD.delete_object(environment, ID, props)

    assert local.call("GET", f"{URL}/trash/documents", headers=bearer(local, *TRASH)).json()["documents"] == []
    assert DASHBOARD.read_object(environment, ID, props) is None
    DASHBOARD.delete_object(environment, ID, props)
    create(connect(local), props_of(local))


def test_one_that_somebody_deleted_makes_room_in_the_trash(local: Local, environment: Environment) -> None:
    props = create(environment, props_of(local))
    version = str(live(local, "metadata")["version"])
    query = {"optimistic-locking-version": version}
    assert local.call("DELETE", f"{URL}/documents/{ID}", headers=bearer(local, *SCOPES), params=query).ok

    create(connect(local), props)

    assert live(local, "metadata")["isPrivate"] is False


def test_two_writers_at_once_do_not_lose_the_update(local: Local, environment: Environment) -> None:
    props = create(environment, props_of(local))
    local.sim("POST", "faults", {"api": "documents", "method": "PATCH", "status": 409, "times": 1})

    DASHBOARD.update_object(environment, ID, props, {**props, "name": "Other"})

    assert live(local, "metadata")["name"] == "Other"
