"""Executions: started once per qualifier, carried through their tasks, limited, listed, cancelled."""

from __future__ import annotations

import signal

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import PERSON, SERVICE_USER, add_user
from local_dynatrace.testing.flows import (
    API,
    READ,
    RUN,
    SLEEP,
    WRITE,
    author,
    create,
    get,
    outcome,
    play,
    settle,
    start,
    task,
)

FOREVER = "export default () => new Promise(() => {});"
FAIL = "export default () => { throw new Error('no'); };"


def test_a_run_is_reported_in_full(local: Local) -> None:
    headers = author(local)
    made = create(
        local,
        headers,
        "export default ({actionExecutionId}) => { console.log('hello'); return actionExecutionId; };",
        input={"a": 1},
    )
    execution = start(local, headers, made["id"], input={"b": 2}, params={"why": "test"})
    settle(local)

    found = get(local, headers, f"executions/{execution}")
    assert (found["state"], found["stateInfo"], found["workflow"]) == ("SUCCESS", None, made["id"])
    assert (found["triggerType"], found["user"], found["actor"]) == ("Manual", SERVICE_USER["id"], SERVICE_USER["id"])
    assert (found["input"], found["params"]) == ({"a": 1, "b": 2}, {"why": "test"})
    assert (found["workflowVersion"], found["isDraft"], found["startedAt"]) == (1, False, "2026-01-29T10:00:00.000Z")
    tasks = get(local, headers, f"executions/{execution}/tasks")
    assert {name: found["state"] for name, found in tasks.items()} == {"main": "SUCCESS"}
    assert get(local, headers, f"executions/{execution}/tasks/main/input") == made["tasks"]["main"]["input"]
    assert get(local, headers, f"executions/{execution}/tasks/main/log") == "hello"
    assert get(local, headers, f"executions/{execution}/log") == "hello"
    assert get(local, headers, f"executions/{execution}/actions") == ["dynatrace.automations:run-javascript"]
    action = get(local, headers, f"executions/{execution}/tasks/main/result")
    assert get(local, headers, f"action-executions/{action}")["result"] == action
    assert get(local, headers, f"action-executions/{action}/log") == "hello"
    assert get(local, headers, f"workflows/{made['id']}")["lastExecution"]["id"] == execution


def test_a_qualifier_starts_one_execution_only(local: Local) -> None:
    headers = author(local)
    made, other = create(local, headers), create(local, headers)
    path = f"{API}/workflows/{made['id']}/run"

    first = local.call("POST", path, headers=headers, json={"uniqueQualifier": "once"})
    again = local.call("POST", path, headers=headers, json={"uniqueQualifier": "once"})
    elsewhere = local.call(
        "POST", f"{API}/workflows/{other['id']}/run", headers=headers, json={"uniqueQualifier": "once"}
    )

    assert (first.status_code, again.status_code, elsewhere.status_code) == (201, 202, 201)
    assert again.json()["id"] == first.json()["id"]
    assert get(local, headers, "executions", workflow=made["id"])["count"] == 1


def test_a_run_needs_a_body_and_a_workflow_that_is_seen(local: Local) -> None:
    headers = author(local)
    made = create(local, headers)
    path = f"{API}/workflows/{made['id']}/run"

    assert local.call("POST", path, headers=headers).status_code == 400
    assert local.call("POST", path, headers=headers, json={"input": []}).status_code == 400
    assert local.call("POST", path, headers=author(local, user=PERSON["email"]), json={}).status_code == 404


def test_an_undeployed_workflow_makes_a_draft_that_no_list_shows(local: Local) -> None:
    headers = author(local)
    made = create(local, headers, isDeployed=False)
    execution = start(local, headers, made["id"])

    assert get(local, headers, f"executions/{execution}")["isDraft"] is True
    assert get(local, headers, "executions", workflow=made["id"])["count"] == 0


def test_the_hourly_limit_refuses_further_runs_until_it_is_reset_or_an_hour_is_over(local: Local) -> None:
    headers = author(local)
    made = create(local, headers, hourlyExecutionLimit=2)
    path = f"{API}/workflows/{made['id']}"
    for _ in range(2):
        start(local, headers, made["id"])
    settle(local)
    local.sim("POST", "clock", {"step": 60})

    refused = local.call("POST", f"{path}/run", headers=headers, json={})
    throttle = get(local, headers, f"workflows/{made['id']}")["throttle"]
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3540")
    assert (throttle["isLimitHit"], throttle["limitEvents"][0]["limit"]) == (True, 2)

    assert local.call("POST", f"{path}/reset-throttles", headers=headers).json() == {"success": True}
    for _ in range(2):
        start(local, headers, made["id"])
    assert local.call("POST", f"{path}/run", headers=headers, json={}).status_code == 429
    settle(local)
    local.sim("POST", "clock", {"step": 3600})
    assert local.call("POST", f"{path}/run", headers=author(local), json={}).status_code == 201


def test_tasks_run_in_the_order_of_their_predecessors_and_see_their_results(local: Local) -> None:
    headers = author(local)
    last = """
        import { result } from "@dynatrace-sdk/automation-utils";
        export default async () => (await result("first")).n + 1;
    """
    tasks = {"last": task(last, predecessors=["first"]), "first": task("export default () => ({n: 41});")}
    execution = start(local, headers, create(local, headers, tasks=tasks)["id"])
    settle(local)

    assert outcome(local, headers, execution, "last").result == 42


def test_a_failed_task_fails_the_execution_and_decides_what_follows(local: Local) -> None:
    headers = author(local)
    tasks = {
        "fails": task(FAIL),
        "then": task(predecessors=["fails"]),
        "skipped": task(predecessors=["fails"], conditions={"states": {"fails": "SUCCESS"}, "else": "SKIP"}),
        "repair": task(predecessors=["fails"], conditions={"states": {"fails": "ERROR"}}),
        "off": task(active=False),
        "always": task(predecessors=["skipped", "off"], conditions={"states": {"skipped": "ANY", "off": "OK"}}),
    }
    execution = start(local, headers, create(local, headers, tasks=tasks)["id"])
    settle(local)

    found = get(local, headers, f"executions/{execution}/tasks")
    assert {name: task["state"] for name, task in found.items()} == {
        "fails": "ERROR", "then": "DISCARDED", "skipped": "SKIPPED", "repair": "SUCCESS", "off": "SKIPPED",
        "always": "SUCCESS",
    }  # fmt: skip
    whole = get(local, headers, f"executions/{execution}")
    assert (whole["state"], whole["stateInfo"]) == ("ERROR", found["fails"]["stateInfo"])


def test_an_action_that_is_not_simulated_fails_by_name(local: Local) -> None:
    headers = author(local)
    tasks = {"main": {"action": "dynatrace.automations:http-function", "input": {}}}
    execution = start(local, headers, create(local, headers, tasks=tasks)["id"])

    found = outcome(local, headers, execution)
    assert found.state == "ERROR"
    assert "dynatrace.automations:http-function" in (found.info or "")


def test_an_actor_that_may_not_run_functions_fails_with_403(local: Local) -> None:
    add_user(local, "plain@nordhav.example", READ, WRITE, RUN)

    found = play(local, "export default () => 1;", author(local, user="plain@nordhav.example"))
    assert found.state == "ERROR"
    assert "403" in (found.info or "")
    assert "app-engine:functions:run" in (found.info or "")


def test_a_cancelled_execution_stays_cancelled_while_its_script_completes(local: Local) -> None:
    headers = author(local)
    local.sim("POST", "clock", {"mode": "frozen"})
    tasks = {
        "slow": task(SLEEP + "export default async () => { await sleep(5); console.log('done'); };"),
        "next": task(predecessors=["slow"]),
    }
    execution = start(local, headers, create(local, headers, tasks=tasks)["id"])

    assert local.call("POST", f"{API}/executions/{execution}/cancel", headers=headers).status_code == 204
    cancelled = get(local, headers, f"executions/{execution}")
    local.sim("POST", "clock", {"mode": "auto"})
    settle(local)

    assert cancelled["state"] == get(local, headers, f"executions/{execution}")["state"] == "CANCELLED"
    tasks_ = get(local, headers, f"executions/{execution}/tasks")
    assert (tasks_["slow"]["state"], tasks_["next"]["state"]) == ("SUCCESS", "CANCELLED")
    assert get(local, headers, f"executions/{execution}/log") == "done"


def test_the_list_refuses_a_filter_that_it_would_ignore(local: Local) -> None:
    headers = author(local)
    start(local, headers, create(local, headers)["id"])

    assert local.call("GET", f"{API}/executions", headers=headers, params={"trigger": "x"}).status_code == 400
    assert get(local, headers, "executions", subworkflowOfTask="true")["count"] == 0
    assert get(local, headers, "executions", subworkflowOfTask="false")["count"] == 1


def test_the_list_is_filtered_and_newest_first(local: Local) -> None:
    headers = author(local)
    good, bad = create(local, headers)["id"], create(local, headers, FAIL)["id"]
    first = start(local, headers, good)
    settle(local)
    local.sim("POST", "clock", {"step": 60})
    second = start(local, headers, bad)
    settle(local)
    third = start(local, headers, create(local, headers, FOREVER)["id"])
    local.call("POST", f"{API}/executions/{third}/cancel", headers=headers)

    def ids(**query: str) -> list[str]:
        return [found["id"] for found in get(local, headers, "executions", **query)["results"]]

    assert ids() == [third, second, first]
    assert ids(ordering="startedAt", limit="1") == [first]
    assert ids(workflow=f"{good},{bad}") == [second, first]
    assert ids(state="SUCCESS") == [first]
    assert ids(state="ERROR") == [third, second]  # CANCELLED counts as ERROR in this filter
    assert ids(startedAt__gte="2026-01-29T10:00:01Z", startedAt__lte="2026-01-29T10:01:30Z") == [third, second]
    assert ids(triggerType="Schedule") == []


def test_executions_of_a_private_workflow_are_its_owners_alone(local: Local) -> None:
    headers, other = author(local), author(local, user=PERSON["email"])
    execution = start(local, headers, create(local, headers)["id"])

    assert local.call("GET", f"{API}/executions/{execution}", headers=other).status_code == 404
    assert get(local, other, "executions")["count"] == 0


def test_what_was_running_when_the_process_died_has_failed_after_a_restart(local: Local) -> None:
    headers = author(local)
    local.sim("POST", "clock", {"mode": "frozen"})
    execution = start(local, headers, create(local, headers, FOREVER)["id"])

    local.stop(signal.SIGKILL)
    local.start()

    found = get(local, headers, f"executions/{execution}")
    assert (found["state"], found["endedAt"] is not None) == ("ERROR", True)
    assert "stopped while" in found["stateInfo"]
    assert outcome(local, headers, execution).state == "ERROR"
