"""The second way to see silence, at work: intervals of which three do not fit into the window of a detector."""

from __future__ import annotations

from providers.notification import NotificationProvider
from tests.provider.conftest import SERVICE_USER, place
from tests.watch.detection import NAME, Watched
from tests.watch.dql import ANOTHER, report
from workflow_src.watch.notification import email_task, slack_task
from workflow_src.watch.silence import definition

PROVIDER = NotificationProvider()
HALF_A_DAY = 720


def deploy(watched: Watched, interval: int, actor: str = SERVICE_USER) -> None:
    tasks = [email_task(["pki@nordhav.example"]), slack_task("CONNECTION", "#pki")]
    made = definition(NAME, watched.workflow, interval, tasks, active=True)
    props = {**place(watched.local), "name": f"{NAME} Silence Check", "purpose": "For a test.", "actor": actor}
    PROVIDER.create_object(watched.environment, {**props, "definition": made})  # type: ignore[typeddict-item]


def told(watched: Watched) -> int:
    """How many times people were told, each time by mail and in Slack."""
    sent = watched.mails()
    mails = [each for each in sent if "subject" in each]
    assert len(sent) == 2 * len(mails)
    assert all(mail["subject"] == f"{NAME}: Connector silent" for mail in mails)
    return len(mails)


def test_silence_of_three_intervals_is_told_once_and_again_each_day(watched: Watched) -> None:
    deploy(watched, HALF_A_DAY)
    for _ in range(2):
        watched.step(HALF_A_DAY)
        watched.send(report(workflow=watched.workflow))
    seen = []
    for _ in range(6):
        watched.send(report(workflow=ANOTHER), report("skipped", workflow=watched.workflow))
        watched.step(HALF_A_DAY)
        seen.append(told(watched))

    assert seen == [0, 0, 0, 1, 1, 2]
    mail = watched.mails()[0]
    assert watched.workflow in mail["content"] and "[[" not in mail["content"]


def test_a_change_of_the_connector_counts_as_a_report(watched: Watched) -> None:
    deploy(watched, HALF_A_DAY)
    for _ in range(5):
        watched.environment.automation.update_workflow(watched.workflow, {"description": "changed"})
        watched.step(HALF_A_DAY)

    assert told(watched) == 0


def test_a_check_that_cannot_find_out_tells_people(watched: Watched) -> None:
    deploy(watched, 60)
    watched.local.sim("POST", "faults", {"api": "grail", "caller": "script", "status": 403, "times": None})
    watched.step(60)

    assert told(watched) == 1
