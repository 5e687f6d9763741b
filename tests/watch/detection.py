"""Detectors at work: deployed by their provider, with records that arrive while the clock is stepped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import bearer
from local_dynatrace.testing.flows import settle
from providers.anomaly_detector import AnomalyDetectorProvider, inputs
from providers.notification import NotificationProvider
from tests.provider.conftest import SERVICE_USER, connect, place
from tests.watch.dql import Row, send
from workflow_src.watch.detectors import Detector
from workflow_src.watch.notification import definition, email_task, event_name

PROVIDER = AnomalyDetectorProvider()
NAME = "Sectigo SCM"
MINUTE_S = 60


class Watched:
    """An environment with a notification workflow, which also stands for the connector's."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.environment = connect(local)
        task = email_task(["pki@nordhav.example"])
        props = {**place(local), "name": f"{NAME} Alert E-Mail", "purpose": "For a test.", "actor": SERVICE_USER}
        made, _ = NotificationProvider().create_object(
            self.environment,
            {**props, "definition": definition(NAME, task)},  # type: ignore[typeddict-item]
        )
        self.workflow = made

    def deploy(self, *detectors: Detector) -> list[tuple[str, dict[str, Any]]]:
        """IDs and stored properties."""
        deployed = []
        for detector in detectors:
            names = f"{NAME} {detector.title}", event_name(NAME, detector.title)
            props = inputs(place(self.local), detector, *names, self.workflow, SERVICE_USER, True)
            id, outputs = PROVIDER.create_object(self.environment, props)  # type: ignore[arg-type]
            deployed.append((id, {**props, **outputs}))
        settle(self.local)
        return deployed

    def step(self, minutes: float) -> None:
        self.local.sim("POST", "clock", {"step": minutes * MINUTE_S})
        settle(self.local)

    def send(self, *records: Row, minutes_ago: float = 0) -> None:
        """Records with the time of so many minutes ago."""
        send(self.local, *records, ago=timedelta(minutes=minutes_ago))

    def problems(self) -> list[tuple[str, str]]:
        """Name and status of each problem, the oldest first."""
        return [(one["event.name"], one["event.status"]) for one in self.every_problem()]

    def every_problem(self) -> list[Row]:
        headers = bearer(self.local, "storage:events:read", "storage:buckets:read")
        query = "fetch dt.davis.problems, from: -3d | sort event.start asc"
        answer = self.local.call(
            "POST", "/platform/storage/query/v1/query:execute", headers=headers, json={"query": query}
        )
        assert answer.status_code == 200, answer.text
        found: list[Row] = answer.json()["result"]["records"]
        return found

    def mails(self) -> list[dict[str, Any]]:
        """The mails that were sent: subject, content, to."""
        rows = self.local.sim("GET", "dump", all="true")["messages"]
        return [row["content"] for row in rows]
