"""A look behind the scenes of the local environment: what is stored in the vault, what there is by name."""

from __future__ import annotations

from collections import Counter
from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, PERSON, bearer


def value(local: Local, id: str) -> str:
    """An entry's secret text, as a script reads it."""
    headers = bearer(local, "environment-api:credentials:read")
    path = f"/platform/classic/environment-api/v2/credentials/{id}/details"
    answer = local.call("GET", path, headers=headers)
    assert answer.ok, answer.text
    return str(answer.json().get("token", answer.json().get("password")))


def overwrite(local: Local, id: str, token: str) -> None:
    """As somebody does in the vault's page: the same entry with another value."""
    entry = local.call("GET", f"/api/v2/credentials/{id}", headers=DEPLOY).json()
    kept = ("name", "type", "description", "scopes", "ownerAccessOnly", "allowContextlessRequests")
    body = {**{key: entry[key] for key in kept if key in entry}, "token": token}
    answer = local.call("PUT", f"/api/v2/credentials/{id}", headers=DEPLOY, json=body)
    assert answer.status_code == 204, answer.text


def delete_entry(local: Local, id: str) -> None:
    assert local.call("DELETE", f"/api/v2/credentials/{id}", headers=DEPLOY).status_code == 204


def person(local: Local) -> dict[str, str]:
    """Somebody at work in the Dynatrace web interface."""
    scopes = ("automation:workflows:read", "automation:workflows:write", "automation:workflows:admin")
    return bearer(local, *scopes, user=PERSON["email"])


def edit_workflow(local: Local, id: str, **body: Any) -> None:
    path = f"/platform/automation/v1/workflows/{id}"
    answer = local.call("PUT", path, headers=person(local), params={"adminAccess": "true"}, json=body)
    assert answer.ok, answer.text


def workflow(local: Local, id: str) -> dict[str, Any]:
    found: dict[str, Any] = local.call("GET", f"/platform/automation/v1/workflows/{id}", headers=person(local)).json()
    return found


def delete_workflow(local: Local, id: str) -> None:
    path = f"/platform/automation/v1/workflows/{id}"
    assert local.call("DELETE", path, headers=person(local), params={"adminAccess": "true"}).ok


def names(local: Local) -> Counter[str]:
    """How many objects there are of each name."""
    dump = local.sim("GET", "dump")
    return Counter([row["name"] for row in dump["credentials"]] + [row["title"] for row in dump["workflows"]])


def runs(local: Local) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = local.sim("GET", "dump", all="true")["executions"]
    return found


def failed_runs(local: Local) -> list[dict[str, Any]]:
    return [row for row in runs(local) if row["state"] not in ("SUCCESS", "RUNNING")]
