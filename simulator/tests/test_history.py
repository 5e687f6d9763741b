"""Versions of a workflow: listed, shown, exported, restored; and copies."""

from __future__ import annotations

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import PERSON, SERVICE_USER
from local_dynatrace.testing.flows import ADMIN, API, author, create, every, get


def change(local: Local, workflow: str, headers: dict[str, str], **fields: object) -> None:
    answer = local.call("PUT", f"{API}/workflows/{workflow}", headers=headers, json=fields)
    assert answer.status_code == 200, answer.text


def test_each_write_makes_a_version_and_the_list_leaves_out_the_one_in_use(local: Local) -> None:
    headers = author(local)
    made = create(local, headers)
    change(local, made["id"], headers, title="Second")
    change(local, made["id"], headers, title="Third")

    before = get(local, headers, f"workflows/{made['id']}/history")
    everything = get(local, headers, f"workflows/{made['id']}/history", all="true")

    assert [record["version"] for record in before["results"]] == [2, 1]
    assert [record["version"] for record in everything["results"]] == [3, 2, 1]
    assert everything["count"] == 3
    assert everything["results"][0]["user"] == SERVICE_USER["id"]
    assert everything["results"][0]["dateCreated"] == "2026-01-29T10:00:00.000Z"


def test_an_old_version_is_shown_as_it_was(local: Local) -> None:
    headers = author(local)
    made = create(local, headers, "export default () => 1;")
    change(local, made["id"], headers, title="Second", tasks={})

    old = get(local, headers, f"workflows/{made['id']}/history/1")

    assert (old["title"], old["version"], old["tasks"]) == (made["title"], 1, made["tasks"])
    assert get(local, headers, f"workflows/{made['id']}/history/1/export") == old


def test_restoring_writes_the_old_content_as_a_new_version_and_deploys_it(local: Local) -> None:
    headers = author(local)
    made = create(local, headers, trigger=every(10))
    change(local, made["id"], headers, title="Second", trigger={}, isDeployed=False)

    answer = local.call("POST", f"{API}/workflows/{made['id']}/history/1/restore", headers=headers)

    assert (answer.status_code, answer.content) == (200, b"")
    now = get(local, headers, f"workflows/{made['id']}")
    assert (now["title"], now["version"], now["isDeployed"]) == (made["title"], 3, True)
    assert now["trigger"]["schedule"]["nextExecution"] == "2026-01-29T10:10:00.000Z"


def test_a_version_that_never_was_is_not_found(local: Local) -> None:
    headers = author(local)
    made = create(local, headers)

    for version in ("2", "0", "-1", "x", "99999999999999999999", "\u0661"):
        answer = local.call("GET", f"{API}/workflows/{made['id']}/history/{version}", headers=headers)
        assert answer.status_code == 404, version


def test_the_history_goes_with_the_workflow(local: Local) -> None:
    headers = author(local)
    made = create(local, headers)
    local.call("DELETE", f"{API}/workflows/{made['id']}", headers=headers)

    again = create(local, headers, id=made["id"])

    assert get(local, headers, f"workflows/{again['id']}/history", all="true")["count"] == 1


def test_an_export_can_be_created_again(local: Local) -> None:
    headers = author(local)
    made = create(local, headers, trigger=every(10))
    exported = get(local, headers, f"workflows/{made['id']}/export")
    local.call("DELETE", f"{API}/workflows/{made['id']}", headers=headers)

    again = local.call("POST", f"{API}/workflows", headers=headers, json=exported)

    assert again.status_code == 201, again.text
    assert get(local, headers, f"workflows/{made['id']}/export") == exported


def test_a_copy_belongs_to_whoever_made_it(local: Local) -> None:
    headers, other = author(local), author(local, user=PERSON["email"])
    made = create(local, headers, isPrivate=False)

    titled = local.call("POST", f"{API}/workflows/{made['id']}/duplicate", headers=other, json={"title": "Mine"})
    untitled = local.call("POST", f"{API}/workflows/{made['id']}/duplicate", headers=other, json={})

    assert (titled.status_code, titled.json()["title"], titled.json()["owner"]) == (201, "Mine", PERSON["id"])
    assert untitled.json()["title"] == f"Copy of {made['title']}"
    assert titled.json()["tasks"] == made["tasks"]
    assert titled.json()["id"] != made["id"]


def test_a_foreign_private_workflow_shows_no_history_but_to_administrators(local: Local) -> None:
    headers, other = author(local), author(local, ADMIN, user=PERSON["email"])
    made = create(local, headers)
    path = f"{API}/workflows/{made['id']}/history"

    assert local.call("GET", path, headers=other).status_code == 404
    assert local.call("GET", path, headers=other, params={"adminAccess": "true"}).status_code == 200
    assert local.call("GET", path, headers=headers, params={"adminAccess": "true"}).status_code == 403
