"""``test-alert``: a problem on purpose, the whole way to a mail, and nothing that stays."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from local_dynatrace.testing import Local
from tests.operations.conftest import Operated


@pytest.fixture
def watched(prepare: Callable[..., Operated]) -> Operated:
    return prepare(alerts="true", triggerEnabled="false", alertEmails="pki@nordhav.example")


def test_a_test_alert_ends_with_a_mail_and_without_its_detector(watched: Operated, local: Local) -> None:
    watched.up()
    before = local.sim("GET", "dump")["settings_objects"]
    local.sim("POST", "clock", {"mode": "frozen"})
    local.sim("PATCH", "options", {"scheduler": True})

    with ThreadPoolExecutor(1) as background:
        operated = background.submit(watched.operate, "test-alert")
        while not operated.done():
            local.sim("POST", "clock", {"step": 30})
            wait([operated], timeout=0.5)
    done = operated.result()

    assert "opens the problem “Sectigo SCM: Test alert”" in done.text
    assert "Workflow “Sectigo SCM Alert E-Mail” has notified people of the problem" in done.text
    (mail,) = local.sim("GET", "dump", all="true")["messages"]
    assert mail["content"]["to"] == ["pki@nordhav.example"]
    assert "This is a test of the alerts. Nothing is wrong." in mail["content"]["content"]
    assert local.sim("GET", "dump")["settings_objects"] == before


def test_without_a_notification_there_is_nothing_to_test(watched: Operated) -> None:
    watched.configure(alertEmails=None)
    watched.up()

    done = watched.operate("test-alert", check=False)

    assert done.code == 2
    assert "stack test notifies nobody of problems; set alerts and alertEmails (docs/watch.md)" in done.text
