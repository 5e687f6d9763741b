"""Six hours of scheduled runs over SCM's own stream of records, with a fault in every twenty-fifth request."""

from __future__ import annotations

from local_dynatrace.testing.flows import API, settle

from .connector import Connector

RUNS = 36


def test_scheduled_runs_with_four_percent_of_faults_deliver_what_scm_has_issued(connector: Connector) -> None:
    connector.options(scm_stream=True, scm_history_hours=4.0, scm_visible_late_s=240.0, scheduler=True)
    # Half of the faults happen before a request takes effect, half after.
    for seed, effect in enumerate(
        ({"status": 503}, {"cut": "before"}, {"status": 500, "when": "after"}, {"cut": "after"})
    ):
        connector.fault(api="*", caller="script", times=None, probability=0.01, seed=seed, **effect)
    answer = connector.local.call(
        "PUT",
        f"{API}/workflows/{connector.workflow}",
        headers=connector.headers,
        json=connector.definition(interval_minutes=10, active=True),
    )
    assert answer.status_code == 200, answer.text

    for _ in range(RUNS):
        connector.pass_time(10)
        settle(connector.local)
    faults = sum(rule["hit"] for rule in connector.local.sim("GET", "faults")["faults"])
    connector.clear_faults()
    connector.options(scheduler=False, scm_visible_late_s=0.0)
    connector.pass_time(10)
    connector.run()

    assert len(connector.executions()) == RUNS + 1
    assert faults > 10
    runs = {entry["connector.executionId"]: entry for entry in connector.ledger()}
    begin = min(entry["connector.coveredFrom"] for entry in runs.values())
    end = max(entry["connector.coveredTo"] for entry in runs.values())
    source = connector.local.sim("GET", "scm/records", **{"from": begin, "to": end})["total"]
    arrived, different = connector.count()
    total = {name: sum(int(entry[f"connector.{name}"]) for entry in runs.values()) for name in ("sent", "fetched")}
    # No run failed for good: each record was sent by one run; a lost answer may have brought some twice.
    assert {entry["connector.outcome"] for entry in runs.values()} == {"caught up"}
    assert total["sent"] == different == source
    assert arrived >= different and total["fetched"] >= total["sent"] > 100
