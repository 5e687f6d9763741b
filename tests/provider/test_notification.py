"""The notification workflow: ours by its mark, compared by what we set, gone without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from providers.api.environment import Environment
from providers.api.errors import Refused
from providers.notification import NotificationProvider
from tests.provider.conftest import SERVICE_USER, connect, place
from tests.provider.test_workflow import edit, live
from workflow_src.watch.notification import definition, email_task, slack_task

NOTIFICATION = NotificationProvider()


def props_of(local: Local, **changes: Any) -> dict[str, Any]:
    values = {
        **place(local),
        "name": "Sectigo SCM Alert E-Mail",
        "purpose": "For a test.",
        "definition": definition("Sectigo SCM", email_task(["pki@nordhav.example"])),
        "actor": SERVICE_USER,
    }
    return {**values, **changes}


@pytest.mark.parametrize("task", [email_task(["a@b.example"]), slack_task("ID", "#pki")], ids=["email", "slack"])
def test_what_the_api_fills_in_is_no_drift(local: Local, environment: Environment, task: dict[str, Any]) -> None:
    props = props_of(local, definition=definition("Sectigo SCM", task))

    id, _ = NOTIFICATION.create_object(environment, props)

    assert NOTIFICATION.read_object(environment, id, props) == {}
    assert live(local, id)["type"] == "SIMPLE"
    assert live(local, id)["actor"] == SERVICE_USER


def test_a_change_of_the_recipients_is_seen_and_written_back(local: Local, environment: Environment) -> None:
    props = props_of(local)
    id, _ = NOTIFICATION.create_object(environment, props)
    tasks = live(local, id)["tasks"]
    tasks["send_email"]["input"]["to"] = ["nobody@nordhav.example"]
    edit(local, id, tasks=tasks, title="Mine")

    found = NOTIFICATION.read_object(environment, id, props)

    assert found is not None and found.keys() == {"name", "definition"}
    NOTIFICATION.update_object(environment, id, props, props)
    assert live(local, id)["tasks"]["send_email"]["input"]["to"] == ["pki@nordhav.example"]
    assert NOTIFICATION.read_object(environment, id, props) == {}


def test_a_lost_state_takes_it_again_and_leaves_others_alone(
    local: Local, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, _ = NOTIFICATION.create_object(
        environment, props_of(local, **place(local, stack="sectigo-dynatrace/other"))
    )
    ours, _ = NOTIFICATION.create_object(connect(local), props_of(local))
    again, _ = NOTIFICATION.create_object(connect(local), props_of(local))

    assert again == ours != theirs
    assert "adopted; it differs in: nothing" in capsys.readouterr().out
    with pytest.raises(Refused, match="now belongs to Pulumi stack sectigo-dynatrace/other; this is"):
        NOTIFICATION.update_object(environment, theirs, props_of(local), props_of(local, actor=""))
    with pytest.raises(Refused, match="now belongs to Pulumi stack sectigo-dynatrace/other; this is"):
        NOTIFICATION.delete_object(environment, theirs, props_of(local))
    NOTIFICATION.delete_object(environment, ours, props_of(local))
    NOTIFICATION.delete_object(environment, ours, props_of(local))
    assert NOTIFICATION.read_object(environment, ours, props_of(local)) is None
    assert NOTIFICATION.read_object(environment, theirs, props_of(local)) is not None
