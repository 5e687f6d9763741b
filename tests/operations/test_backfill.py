"""A hole is repaired by a run beside the schedule: checkpoint and lock stay, only what was asked for is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import bearer
from tests.engine import inside
from tests.operations.conftest import Operated

NOW = datetime(2026, 1, 29, 10, tzinfo=UTC)
BEGIN = NOW - timedelta(hours=4)
WINDOW = ("--from", "2026-01-29T05:30:00Z", "--to", "2026-01-29T09:50:00Z")
COUNT = 1000


def records() -> list[dict[str, Any]]:
    step = timedelta(hours=3) / COUNT
    return [
        {"id": f"audit-{n:04}", "timestamp": (BEGIN + n * step).isoformat(), "action": "issue", "service": "scm"}
        for n in range(COUNT)
    ]


def holed(prepare: Callable[..., Operated], local: Local) -> tuple[Operated, list[str]]:
    """A deployed stack that missed three records; returns their ids."""
    found = records()
    hidden = [found[17], found[500], found[999]]
    local.sim("POST", "scm/records", {"records": [one for one in found if one not in hidden]})
    stack = prepare(initHistoryDuration="5h")
    stack.up()
    local.sim("POST", "scm/records", {"records": hidden})
    return stack, [one["id"] for one in hidden]


def logs(local: Local, query: str) -> list[dict[str, Any]]:
    headers = bearer(local, "storage:logs:read", "storage:buckets:read")
    body = {"query": f'fetch logs, from:"2026-01-28T00:00:00Z" | {query}', "requestTimeoutMilliseconds": 10_000}
    answer = local.call("POST", "/platform/storage/query/v1/query:execute", headers=headers, json=body)
    assert answer.ok, answer.text
    found: list[dict[str, Any]] = answer.json()["result"]["records"]
    return found


def test_the_command_that_reconcile_prints_repairs_exactly_the_hole(
    prepare: Callable[..., Operated], local: Local, tmp_path: Path
) -> None:
    stack, hidden = holed(prepare, local)
    outputs = stack.outputs
    before = [inside.value(local, outputs[key]) for key in ("checkpointCredentialId", "executionLockCredentialId")]
    report = tmp_path / "report.json"
    assert stack.operate("reconcile", *WINDOW, "--json", str(report), check=False).code == 1

    for command in json.loads(report.read_text())["repair"]:
        words = dict(word.split("=", 1) for word in command.split()[2:])
        done = stack.operate("backfill", "--from", words["FROM"], "--to", words["TO"], "--ids", words["IDS"], "--yes")
        assert "lock and checkpoint are not changed" in done.text

    after = stack.operate("reconcile", *WINDOW)
    assert f"COMPLETE: all {COUNT} SCM records due" in after.text
    assert [
        inside.value(local, outputs[key]) for key in ("checkpointCredentialId", "executionLockCredentialId")
    ] == before
    sent = logs(local, 'filter scm.backfill_run == "true" | fields id = event.id')
    assert sorted(one["id"] for one in sent) == hidden, "each once, and nothing beside them"


def test_a_whole_window_is_sent_again_and_marked_in_logs_and_ledger(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack, hidden = holed(prepare, local)

    done = stack.operate("backfill", *WINDOW, "--yes")

    assert f"{COUNT} sent" in done.text
    after = stack.operate("reconcile", *WINDOW).text
    assert f"COMPLETE: all {COUNT} SCM records due" in after
    [totals] = [line for line in after.splitlines() if line.startswith("total")]
    assert totals.split()[-1] == str(COUNT - len(hidden)), "what was there already is there twice"
    [line] = logs(local, 'filter log.source == "sectigo-scm-connector" and connector.backfill == "true"')
    assert line["connector.outcome"] == "backfilled"
    assert (line["connector.coveredFrom"], line["connector.coveredTo"]) == ("2026-01-29T05:30:00Z", WINDOW[3])
    assert "connector.checkpointAfter" not in line and "connector.lagSeconds" not in line


def test_a_window_that_takes_longer_than_a_leg_goes_on_in_the_next(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack, _ = holed(prepare, local)
    # Every page takes 18 s of the simulated clock: a leg of 100 s reads about half of the ten pages.
    local.sim(
        "POST", "faults", {"api": "scm", "path": "/api/v1/records", "caller": "script", "delay_s": 18, "times": None}
    )

    done = stack.operate("backfill", *WINDOW, "--yes")

    assert "Leg 2 of a catch-up" in done.text
    assert "Done." in done.text
    local.sim("DELETE", "faults")
    assert "COMPLETE" in stack.operate("reconcile", *WINDOW).text
    copies = logs(local, 'filter scm.backfill_run == "true" | summarize n = count(), by: {event.id} | filter n > 1')
    assert copies == [], "no leg sends again what the one before had sent"


def test_the_schedule_runs_beside_it_and_an_input_without_sense_fails_with_its_form(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack, _ = holed(prepare, local)
    workflow = stack.outputs["workflowId"]
    who = bearer(local, "automation:workflows:read", "automation:workflows:run")
    run = f"/platform/automation/v1/workflows/{workflow}/run"
    local.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "delay_s": 20, "nth": 1, "times": 1})
    window = {"from": "2026-01-29T05:30:00Z", "to": "2026-01-29T09:50:00Z"}

    first = local.call("POST", run, headers=who, json={"input": {"backfill": window}}).json()
    second = local.call("POST", run, headers=who, json={}).json()
    assert local.sim("GET", "idle", timeout_s=40)["idle"]

    results = [
        local.call("GET", f"/platform/automation/v1/executions/{id}/tasks/sync", headers=who).json()["result"]
        for id in (first["id"], second["id"])
    ]
    assert [result["outcome"] for result in results] == ["backfilled", "caught up"]

    made = local.call("POST", run, headers=who, json={"input": {"backfill": {"from": "yesterday"}}}).json()
    assert local.sim("GET", "idle", timeout_s=40)["idle"]
    execution = local.call("GET", f"/platform/automation/v1/executions/{made['id']}", headers=who).json()
    assert execution["state"] == "ERROR"
    assert "input.backfill must be" in execution["stateInfo"]


def test_nothing_is_sent_without_a_begin_and_an_answer_counted_or_not(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack, hidden = holed(prepare, local)
    runs = len(logs(local, 'filter log.source == "sectigo-scm-connector"'))

    without = stack.operate("backfill", "--from", "", check=False)
    unanswered = stack.operate("backfill", *WINDOW, check=False)
    chosen = stack.operate("backfill", *WINDOW, "--ids", f"{hidden[0]},audit-0001,unknown", check=False)
    empty = stack.operate("backfill", "--from", "2026-01-29T09:30:00Z", "--to", "2026-01-29T09:40:00Z")

    assert (without.code, unanswered.code, chosen.code) == (2, 2, 2)
    assert "error: FROM is missing: make backfill STACK=test FROM=" in without.text
    assert f"{COUNT} records would be sent; {COUNT - len(hidden)} of them are already in Dynatrace" in unanswered.text
    assert "nothing was sent: there is no terminal to ask on; add YES=1" in unanswered.text
    assert "2 records would be sent; 1 of them are already in Dynatrace" in chosen.text
    assert "SCM has no such records, so there is nothing to resend" in empty.text

    local.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "status": 403, "caller": "outside"})
    uncounted = stack.operate("backfill", *WINDOW, check=False)
    assert "the records could not be counted (the SCM audit API answered 403" in uncounted.text
    assert uncounted.code == 2
    assert len(logs(local, 'filter log.source == "sectigo-scm-connector"')) == runs
