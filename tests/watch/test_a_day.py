"""One day of a believable company: what opens a problem must be worth one, and what is worth one must open it.

The records are a day of the simulated SCM, sent by one run of the real script. The reports are those of a run every ten
minutes, made from the one that this run has written.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from providers.configuration import DETECTIONS
from tests.script.connector import Connector
from tests.watch.detection import NAME, Watched
from tests.watch.dql import Row, send
from workflow_src.watch.detectors import own_detectors, record_detectors

MINUTES = 10
INTERVAL, DAY = timedelta(minutes=MINUTES), timedelta(days=1)
STARTS = dict(zip(DETECTIONS, (10, 10, 1, 1, 1, 1, 1, 5), strict=True))
"""The useful starts of docs/watch.md."""
ADMINISTRATORS = "Administrator, role or privilege changed"
KEYS = "API key created, changed or removed"
ACCESS = "Sign-on, IP range or notification rule changed"
WORTH_A_PROBLEM = {
    ("update", "scm.admin"): ADMINISTRATORS,
    ("disable", "scm.admin"): ADMINISTRATORS,
    ("enable", "scm.admin"): ADMINISTRATORS,
    ("lock", "scm.admin"): ADMINISTRATORS,
    ("unlock", "scm.admin"): ADMINISTRATORS,
    ("create", "scm.audit.apikey"): KEYS,
    ("delete", "scm.audit.apikey"): KEYS,
    ("update", "scm.customer.notification.webhook"): ACCESS,
}
"""What this company does and its security team wants to see: action and object type, and the detection of it."""


@pytest.mark.slow
def test_a_day_opens_a_problem_for_everything_that_is_worth_one_and_no_other(watched: Watched) -> None:
    local = watched.local
    local.sim("PATCH", "options", {"scheduler": False, "scm_stream": True, "scm_history_hours": 24})
    connector = Connector(local, history="24h")
    watched.workflow = connector.workflow
    watched.deploy(*own_detectors(MINUTES), *record_detectors(STARTS, MINUTES))
    local.sim("POST", "clock", {"step": DAY.total_seconds()})
    local.sim("POST", "clock", {"mode": "auto"})
    assert connector.run().outcome == "caught up"
    local.sim("POST", "clock", {"mode": "frozen"})
    records, (report,) = connector.arrived(), connector.ledger()
    send(local, *reports_of_the_day(report, records))

    local.sim("PATCH", "options", {"scheduler": True})  # each of the day's minutes is evaluated now
    watched.step(1)

    worth = {
        f"{NAME}: {title}, actor {record.get('audit.identity', 'none')}"
        for record in records
        if "scm.backfill" not in record
        and (title := WORTH_A_PROBLEM.get((record["event.action"], record.get("object.type", ""))))
    }
    opened = [f"{NAME}: {each['event.description'].split('. ')[0]}" for each in watched.every_problem()]
    assert len(records) > 1000 and len(worth) > 3, "a day that proves nothing"
    assert set(opened) == worth
    assert len(opened) <= 12, "more problems in a day than people read"


def reports_of_the_day(report: Row, records: list[Row]) -> list[Row]:
    """Those of runs that each sent what had happened since the one before; ``report``: the last one's."""
    end, times = moment(report), [moment(record) for record in records]
    made = []
    for number in range(1, DAY // INTERVAL):
        at = end - number * INTERVAL
        sent = str(sum(at - INTERVAL < each <= at for each in times))
        counts = {"connector.fetched": sent, "connector.sent": sent, "connector.clamped": "0"}
        made.append({**report, "timestamp": at.isoformat(), **counts})
    return made


def moment(record: Row) -> datetime:
    return datetime.fromisoformat(record["timestamp"][:26] + "+00:00")
