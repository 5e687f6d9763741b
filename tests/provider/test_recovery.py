"""The state is lost and objects have other names: the workflow's mark leads to what it uses."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from providers.credential import StateCredentialProvider
from providers.workflow import WorkflowProvider
from tests.provider.conftest import DEPLOY, connect, entry, place, vault
from tests.provider.test_workflow import SCRIPT, edit, props_of

WORKFLOW, STATE = WorkflowProvider(), StateCredentialProvider()
TEMPLATE = SCRIPT.replace("scmCredentialId", "checkpointCredentialId")


def checkpoint(local: Local, name: str = "Sectigo SCM", stack: str = "sectigo-dynatrace/test") -> dict[str, Any]:
    more = {"firstValue": "NONE", "workflow": f"{name} Integration", "missed": "", "adoptKey": "checkpoint"}
    return entry(place(local, name, stack), "Checkpoint", **more)


def deploy(local: Local, **changes: Any) -> tuple[str, str]:
    """Returns the ids of checkpoint and workflow."""
    environment = connect(local)
    id, _ = STATE.create_object(environment, checkpoint(local))
    workflow, _ = WORKFLOW.create_object(
        environment, props_of(local, script=TEMPLATE, ids={"checkpointCredentialId": id}, **changes)
    )
    return id, workflow


def rename(local: Local, id: str, description: str = "") -> None:
    body = {"name": "Mine", "type": "TOKEN", "description": description, "scopes": ["APP_ENGINE"], "token": "x"}
    headers = {"Authorization": f"Api-Token {DEPLOY}"}
    assert local.call("PUT", f"/api/v2/credentials/{id}", headers=headers, json=body).status_code == 204


def test_a_renamed_entry_and_a_retitled_workflow_are_used_again(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    id, workflow = deploy(local)
    rename(local, id)
    edit(local, workflow, title="Mine, too")
    count = len(vault(local))

    assert deploy(local) == (id, workflow)

    assert len(vault(local)) == count
    told = capsys.readouterr().out
    assert f"“Mine” ({id}) is used by our workflow; adopted as “Sectigo SCM Checkpoint”" in told
    assert f"workflow “Mine, too” ({workflow}): adopted; it differs in:" in told


def test_an_entry_of_another_stack_is_not_used(local: Local) -> None:
    id, _ = deploy(local)
    rename(local, id, "Theirs. [Pulumi other/prod]")

    assert STATE.create_object(connect(local), checkpoint(local))[0] != id


@pytest.mark.parametrize(
    ("name", "stack"),
    [("Sectigo SCM EU", "sectigo-dynatrace/test"), ("Sectigo SCM EU", "sectigo-dynatrace/other")],
)
def test_an_entry_that_another_connector_uses_is_not_used(local: Local, name: str, stack: str) -> None:
    id, _ = deploy(local)
    rename(local, id)

    assert STATE.create_object(connect(local), checkpoint(local, name, stack))[0] != id
