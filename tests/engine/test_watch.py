"""Dashboard, detectors and notification on the real engine: created, switched off, and gone without a trace."""

from __future__ import annotations

from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT
from tests.engine.deployment import Deployment
from tests.engine.test_lifecycle import POLLS

WATCHED = {"dashboard": "true", "alerts": "true", "alertEmails": "pki@nordhav.example"}
MOST_CALLS_OF_THE_MANUAL = 24  # as in test_lifecycle
NEW_OBJECTS = {"dashboard", "detector-silent", "detector-failed", "detector-lag", "detector-setAside", "alertEmails"}


def calls(stack: Deployment) -> list[str]:
    return [call for call in stack.calls() if not (call.startswith(POLLS) and call.count("/") == 5)]


def test_a_watched_deployment_is_as_quiet_as_any_other_and_leaves_nothing(stack: Deployment, local: Local) -> None:
    before: Any = local.sim("GET", "dump")
    stack.configure(**WATCHED)

    stack.forget_calls()
    first = stack.up()
    assert first.changes["create"] >= NEW_OBJECTS
    assert first.warnings == []
    made = calls(stack)
    assert len(made) <= MOST_CALLS_OF_THE_MANUAL + 2 * len(NEW_OBJECTS), made
    assert stack.outputs["dashboardUrl"].endswith(stack.outputs["dashboardId"])

    stack.forget_calls()
    assert stack.up().changes == {}
    assert stack.calls() == []
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}

    # Paused: the connector's silence is no problem any more.
    stack.configure(triggerEnabled="false")
    assert stack.up().changes == {"update": {"workflow", "detector-silent"}}

    # Switched off, each feature goes and nothing else.
    stack.configure(**dict.fromkeys(WATCHED))
    assert stack.up().changes == {"update": {"access"}, "delete": NEW_OBJECTS}

    # At a long interval, a workflow looks for silence instead of a detector.
    stack.configure(triggerEnabled=None, triggerIntervalMinutes=30, **WATCHED)
    assert stack.up().changes["create"] == {*NEW_OBJECTS, "silence"} - {"detector-silent"}
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}
    owner = stack.outputs["owner"]
    stack.lose_state()
    stack.configure(formerStack=owner)
    assert "adopted" in stack.up().text

    stack.destroy()
    assert local.sim("GET", "dump") == before


def test_a_missing_scope_stops_before_the_first_write_and_names_feature_scope_and_page(
    stack: Deployment, local: Local
) -> None:
    narrow = {**CLIENT, "scopes": [scope for scope in CLIENT["scopes"] if scope != "document:documents:write"]}
    local.sim("POST", "identities", {"oauthClients": [narrow]})
    before = local.sim("GET", "dump")
    stack.configure(**WATCHED)

    done = stack.up(check=False)

    assert done.code != 0
    assert "dashboard: OAuth client dt0s02.LOCALCLI lacks document:documents:write" in done.text
    assert "https://myaccount.dynatrace.com" in done.text
    assert local.sim("GET", "dump") == before

    stack.configure(dashboard=None)
    assert "dashboard" not in stack.up().changes["create"]
