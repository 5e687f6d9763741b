"""From a problem to a mail: event triggers, simple workflows, expressions, e-mail and Slack, system events."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import SEED, SERVICE_USER, Headers, bearer, with_token
from local_dynatrace.testing.detectors import create as create_detector
from local_dynatrace.testing.detectors import detector, step, writer
from local_dynatrace.testing.flows import API, author, get, start

INGEST = with_token(SEED["api_tokens"][1]["token"])
QUERY = 'fetch logs | filter result == "failed" | makeTimeseries n = count(default: 0), interval: 1m'
EACH = {"violatingSamples": "1", "slidingWindow": "5", "dealertingSamples": "5"}
EMAIL, SLACK = "dynatrace.email:send-email", "dynatrace.slack:slack-send-message"
MAIL: dict[str, Any] = {
    "to": ["pki@nordhav.example"], "cc": [], "bcc": [],
    "subject": '{{ event()["display_id"] }} {{ event()["event.name"] }}',
    "content": '{{ event()["event.status"] }}: {{ event()["event.description"] }} {{ problem_link() }}',
    "taskId": "{{ task().id }}", "executionId": "{{ execution().id }}", "environmentUrl": "{{ environment().url }}",
}  # fmt: skip
Body = dict[str, Any]


@pytest.fixture
def local(watched: Local) -> Local:
    return watched


@pytest.fixture
def headers(local: Local) -> Headers:
    return author(local)


def on_problem(**value: Any) -> Body:
    configuration = {"type": "davis-problem", "value": value}
    return {"eventTrigger": {"isActive": True, "triggerConfiguration": configuration}}


def notify(action: str = EMAIL, trigger: Body | None = None, input: Body | None = None, **more: Any) -> Body:
    """The body of a simple workflow that tells somebody of a problem."""
    task = {"name": "tell", "action": action, "input": MAIL if input is None else input, "position": {"x": 0, "y": 1}}
    shown = {"title": "Tell", "type": "SIMPLE", "isPrivate": False, "tasks": {"tell": task}}
    return {**shown, "trigger": on_problem() if trigger is None else trigger, **more}


def create(local: Local, headers: Headers, body: Body) -> dict[str, Any]:
    answer = local.call("POST", f"{API}/workflows", headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def refused(local: Local, headers: Headers, body: Body) -> Any:
    answer = local.call("POST", f"{API}/workflows", headers=headers, json=body)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]["details"]


def alarm(local: Local, name: str = "Alert", **event: str) -> None:
    """A detector and what it detects: a problem is open afterwards."""
    value = detector(QUERY, {"event.name": name, **event}, **EACH)
    create_detector(local, writer(local), value)
    record = {"content": "x", "result": "failed"}
    assert local.call("POST", "/api/v2/logs/ingest", headers=INGEST, json=[record]).status_code == 204
    step(local, 1)


def messages(local: Local) -> list[Body]:
    rows = local.sim("GET", "dump", all="true")["messages"]
    return [row["content"] for row in sorted(rows, key=lambda row: row["number"])]


def last(local: Local, headers: Headers, workflow: str) -> Body:
    found: Body = get(local, headers, f"workflows/{workflow}")["lastExecution"]
    return found


def test_a_problem_that_opens_sends_one_mail(local: Local, headers: Headers) -> None:
    made = create(local, headers, notify())
    alarm(local, "Silent")
    step(local, 3)

    (mail,) = messages(local)
    assert (mail["to"], mail["from"]) == (["pki@nordhav.example"], "no-reply@apps.dynatrace.com")
    assert mail["subject"] == "P-260100001 Silent"
    assert mail["content"].startswith(f"ACTIVE: Look {local.url}/ui/apps/dynatrace.davis.problems/problem/")
    found = last(local, author(local), made["id"])
    assert (found["state"], found["triggerType"], found["workflowType"]) == ("SUCCESS", "Event", "SIMPLE")
    assert found["params"]["event"]["event.kind"] == "DAVIS_PROBLEM"
    assert made["triggerType"] == "Event"


@pytest.mark.parametrize(
    ("value", "states"),
    [
        ({}, ["ACTIVE"]),
        ({"triggerOn": "open"}, ["ACTIVE"]),
        ({"triggerOn": "close"}, ["CLOSED"]),
        ({"triggerOn": "open-and-close"}, ["ACTIVE", "CLOSED"]),
        ({"onProblemClose": True}, ["ACTIVE", "CLOSED"]),
        ({"analysisReady": True}, ["ACTIVE"]),
    ],
)
def test_a_trigger_chooses_opening_closing_or_both(
    local: Local, headers: Headers, value: Body, states: list[str]
) -> None:
    create(local, headers, notify(trigger=on_problem(**value)))
    alarm(local)
    step(local, 10)

    assert [mail["content"].split(":")[0] for mail in messages(local)] == states


@pytest.mark.parametrize(
    ("value", "starts"),
    [
        ({"categories": {"availability": True}}, False),
        ({"categories": {"availability": True, "custom": True}}, True),
        ({"categories": {"availability": False}}, True),
        ({"customFilter": 'matchesValue(event.name, "Connector*")'}, True),
        ({"customFilter": 'matchesPhrase(event.name, "silent")'}, True),
        ({"customFilter": 'event.name == "Other"'}, False),
        ({"customFilter": 'event.name == "Other" or true'}, True),
        ({"customFilter": 'dt.security_context == "pki"'}, True),
    ],
)
def test_a_trigger_looks_at_category_and_filter(local: Local, headers: Headers, value: Body, starts: bool) -> None:
    create(local, headers, notify(trigger=on_problem(**value)))
    alarm(local, "Connector silent", **{"dt.security_context": "pki"})

    assert len(messages(local)) == int(starts)


def test_the_server_fills_in_filter_and_unique_expression(local: Local, headers: Headers) -> None:
    wanted = on_problem(categories={"availability": True, "error": True}, customFilter="isNotNull(event.name)")
    trigger = create(local, headers, notify(trigger=wanted))["trigger"]["eventTrigger"]

    assert trigger["filterQuery"] == (
        'event.kind == "DAVIS_PROBLEM" AND event.status == "ACTIVE" AND (event.status_transition == "CREATED" OR '
        'event.status_transition == "UPDATED" OR event.status_transition == "REOPENED") AND '
        '(event.category == "AVAILABILITY" OR event.category == "ERROR") AND (isNotNull(event.name))'
    )
    assert 'event()["event.id"]' in trigger["uniqueExpression"]
    assert trigger["triggerConfiguration"]["value"]["categories"] == {"availability": True, "error": True}


@pytest.mark.parametrize(
    "change",
    [{"isDeployed": False}, {"trigger": {"eventTrigger": {**on_problem()["eventTrigger"], "isActive": False}}}],
)
def test_only_a_deployed_workflow_with_an_active_trigger_starts(local: Local, headers: Headers, change: Body) -> None:
    create(local, headers, notify(**change))
    alarm(local)

    assert messages(local) == []


@pytest.mark.parametrize(
    ("lacks", "sent"), [("storage:events:read", False), ("email:emails:send", False), ("storage:logs:write", True)]
)
def test_the_actor_must_see_events_and_may_send_mail(local: Local, lacks: str, sent: bool) -> None:
    permissions = [each for each in SERVICE_USER["permissions"] if each != lacks]
    local.sim("POST", "identities", {"users": [{**SERVICE_USER, "permissions": permissions}]})
    made = create(local, author(local), notify())
    alarm(local)

    assert len(messages(local)) == int(sent)
    found = last(local, author(local), made["id"])
    if lacks == "email:emails:send":
        assert lacks in found["stateInfo"]
    else:
        assert (found is not None) is sent


def test_a_slack_message_is_kept_too(local: Local, headers: Headers) -> None:
    given = {"connection": "c0ffee", "channel": "#pki", "message": "*{{ event()['event.name'] }}*"}
    create(local, headers, notify(SLACK, input=given))
    alarm(local)

    assert messages(local) == [{"connection": "c0ffee", "channel": "#pki", "message": "*Alert*"}]


def test_a_test_alert_is_a_run_with_an_event_of_ones_own(local: Local, headers: Headers) -> None:
    made = create(local, headers, notify())
    start(local, headers, made["id"], params={"event": {"display_id": "TEST", "event.name": "Try"}})

    (mail,) = messages(local)
    assert mail["subject"] == "TEST Try"


@pytest.mark.parametrize(
    ("action", "input", "text"),
    [
        (EMAIL, {**MAIL, "to": []}, "no recipient"),
        (EMAIL, {**MAIL, "to": [f"a{n}@x.example" for n in range(11)]}, "more than 10 recipients"),
        (EMAIL, {**MAIL, "cc": ["nobody"]}, "cc must be a list of e-mail addresses"),
        (EMAIL, {**MAIL, "subject": " "}, "no subject"),
        (EMAIL, {**MAIL, "content": "x" * 262_145}, "more than 262144 bytes"),
        (EMAIL, {**MAIL, "content": "{{ user('x').name }}"}, "user is not part of the local environment"),
        (EMAIL, {**MAIL, "content": "{{ 1 | to_yaml }}"}, "No filter named 'to_yaml'"),
        (EMAIL, {**MAIL, "content": "{{ 1 / 0 }}"}, "division by zero"),
        (EMAIL, {**MAIL, "content": "{% if %}"}, "The expression failed"),
        (EMAIL, {**MAIL, "content": "{{ 'x' * 10 ** 15 }}"}, "The expression failed"),
        (EMAIL, {**MAIL, "content": "{{ result('other') }}"}, "There is no task other"),
        (SLACK, {"connection": "", "channel": "#pki", "message": "x"}, "no connection"),
        ("dynatrace.jira:jira-create-issue", {}, "'dynatrace.jira:jira-create-issue' is not part"),
    ],
)
def test_what_cannot_be_sent_fails_with_the_reason(
    local: Local, headers: Headers, action: str, input: Body, text: str
) -> None:
    made = create(local, headers, notify(action, input=input))
    start(local, headers, made["id"], params={"event": {"event.name": "Try"}})

    found = last(local, headers, made["id"])
    assert (found["state"], text in found["stateInfo"]) == ("ERROR", True), found["stateInfo"]
    assert messages(local) == []


def test_an_absent_field_of_an_event_is_an_empty_text(local: Local, headers: Headers) -> None:
    made = create(local, headers, notify(input={**MAIL, "subject": "[{{ event()['nothing'] }}]"}))
    start(local, headers, made["id"], params={"event": {}})

    assert messages(local)[0]["subject"] == "[]"


@pytest.mark.parametrize("attack", ["{{ event.__globals__.x }}", "{{ ''.__class__.__mro__ }}", "{{ now.__self__.x }}"])
def test_expressions_reach_nothing_of_the_process(local: Local, headers: Headers, attack: str) -> None:
    made = create(local, headers, notify(input={**MAIL, "content": attack}))
    start(local, headers, made["id"], params={"event": {}})

    found = last(local, headers, made["id"])
    assert (found["state"], "unsafe" in found["stateInfo"]) == ("ERROR", True), found["stateInfo"]
    assert messages(local) == []


# what is refused


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        (on_problem(entityTags={"team": "pki"}), "tags of entities is not part of the local environment"),
        (on_problem(problemOpenDuration=30), "how long a problem is open is not part of the local environment"),
        (on_problem(maintenanceWindowTriggerBehavior="inside"), "maintenance windows is not part"),
        (on_problem(severityThreshold=2), "severity threshold is not part"),
        (on_problem(categories={"fun": True}), "This category is not known."),
        (on_problem(categories={"error": "yes"}), "Must be a valid boolean."),
        (on_problem(triggerOn="sometimes"), "is not a valid choice"),
        (on_problem(customFilter="event.name =="), "Invalid filter"),
        (on_problem(customFilter='a == 1) or (b == "'), "Invalid filter"),
        (on_problem(customFilter='contains(event.name, "x")'), "The function of a matcher contains doesn't exist"),
        (on_problem(customFilter="a == 1 | limit 3"), "without commands"),
        ({"eventTrigger": {"isActive": True}}, "This field is required."),
        ({"eventTrigger": {"triggerConfiguration": {"type": "davis-event"}}}, "'davis-event' is not part"),
        ({"eventTrigger": {"triggerConfiguration": {"type": "event"}}}, "'event' is not part"),
        ({"eventTrigger": {"triggerConfiguration": {"type": "other"}}}, "No match for discriminator"),
    ],
)
def test_a_trigger_that_is_not_simulated_or_wrong_is_refused(
    local: Local, headers: Headers, trigger: Body, text: str
) -> None:
    assert text in str(refused(local, headers, notify(trigger=trigger)))


def test_a_simple_workflow_has_one_task_one_trigger_and_no_javascript(local: Local, headers: Headers) -> None:
    task = notify()["tasks"]["tell"]
    schedule = {"trigger": {"type": "interval", "intervalMinutes": 10}, "isActive": False}
    two_tasks = {"tasks": {name: {**task, "name": name} for name in ("a", "b")}}
    script = {"tasks": {"a": {"action": "dynatrace.automations:run-javascript", "input": {"script": ""}}}}

    assert "one task at most" in str(refused(local, headers, notify(**two_tasks)))
    assert "JavaScript" in str(refused(local, headers, notify(**script)))
    assert "one trigger" in str(refused(local, headers, notify(trigger={**on_problem(), "schedule": schedule})))


# system events


def system_events(local: Local, condition: str) -> list[Body]:
    query = f"fetch dt.system.events, from: -1d | filter event.kind == {condition} | sort timestamp asc, event.id asc"
    headers = bearer(local, "storage:system:read", "storage:buckets:read")
    answer = local.call("POST", "/platform/storage/query/v1/query:execute", headers=headers, json={"query": query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["result"]["records"])


def test_executions_are_system_events(local: Local, headers: Headers) -> None:
    made = create(local, headers, notify())
    alarm(local)
    prefix = "dt.automation_engine."
    found = system_events(local, '"WORKFLOW_EVENT"')

    shown = {(each["event.type"], each[f"{prefix}state"], each[f"{prefix}state.is_final"]) for each in found}
    kinds = ("ACTION_EXECUTION", "TASK_EXECUTION", "WORKFLOW_EXECUTION")
    assert shown == {(kind, *state) for kind in kinds for state in (("RUNNING", False), ("SUCCESS", True))}
    assert len(found) == 6
    whole = [each for each in found if each["event.type"] == "WORKFLOW_EXECUTION"]
    assert {each[f"{prefix}workflow.title"] for each in whole} == {"Tell"}
    assert {each[f"{prefix}workflow.id"] for each in whole} == {made["id"]}
    assert {each[f"{prefix}workflow_execution.trigger.type"] for each in whole} == {"Event"}
    assert {each[f"{prefix}workflow.type"] for each in whole} == {"SIMPLE"}
    assert [each["duration"] for each in whole if "end_time" in each] == ["0"]
    (action,) = [each for each in found if each["event.id"].endswith("ACTION_EXECUTION-end")]
    assert (action[f"{prefix}action.app"], action[f"{prefix}action.function"]) == ("dynatrace.email", "send-email")


def test_a_failed_execution_says_why(local: Local, headers: Headers) -> None:
    made = create(local, headers, notify(input={**MAIL, "to": []}))
    start(local, headers, made["id"], params={"event": {}})
    found = system_events(local, '"WORKFLOW_EVENT" and dt.automation_engine.state == "ERROR"')

    assert {each["event.type"] for each in found} == {"ACTION_EXECUTION", "TASK_EXECUTION", "WORKFLOW_EXECUTION"}
    assert {each["dt.automation_engine.state_info"] for each in found} == {"The e-mail has no recipient."}


def test_system_events_need_a_scope_of_their_own(local: Local) -> None:
    headers = bearer(local, "storage:logs:read", "storage:buckets:read")
    query = {"query": "fetch dt.system.events"}
    answer = local.call("POST", "/platform/storage/query/v1/query:execute", headers=headers, json=query)

    assert (answer.status_code, "storage:system:read" in answer.text) == (403, True)


# state


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"subject": "x"}, "from is not a text"),
        ([], "expected an e-mail"),
        ({"from": "a", "subject": "b", "content": "c", "to": "d"}, "to is not a list"),
    ],
)
def test_a_saved_state_with_a_wrong_mail_is_refused(local: Local, headers: Headers, content: Any, text: str) -> None:
    create(local, headers, notify())
    alarm(local)
    state = local.sim("GET", "state")
    assert len(messages(local)) == 1
    state["tables"]["messages"][0]["content"] = content
    answer = local.call("PUT", "/_sim/state", json=state)

    assert (answer.status_code, text in answer.text) == (400, True), answer.text
