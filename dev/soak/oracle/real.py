"""One seed in the local environment: its schedule as fault rules, the script in the real runtime with the real SDK.

Played there are seeds without what only the in-process world can do (a host's wrong clock, frozen scripts, partial
answers, deleted entries). The judge is simpler too: everything due has arrived, nothing else has, content unchanged,
each run without faults succeeds, and where nothing went wrong nothing is repeated.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from local_dynatrace.testing import Local
from local_dynatrace.testing.flows import settle
from tests.script.connector import Connector

from . import driver

LEFT_S = 62.0
"""The newest records are left for the next run, and whole seconds are asked for."""
LATE_AT_MOST_S = 300.0


def playable(seed: int) -> dict[str, Any] | None:
    """The schedule, if the local environment can play it."""
    plan = driver.schedule(seed)
    frozen = any(rule.get("script") == "freeze" for round_ in plan["rounds"] for rule in round_["faults"])
    return plan if plan["playable"] and not frozen else None


def play(local: Local, plan: dict[str, Any]) -> list[str]:
    """Problems of one world; the environment must be fresh, its clock ``auto``."""
    connector = Connector(local, config={"maxRetries": 3, "initHistoryDuration": plan["history"]})
    connector.options(
        scm_page_size=plan["pageSize"],
        scm_last_page_token=plan["lastPageToken"],
        scm_from=plan["from"],
        old_records=plan["oldRecords"],
        scm_token_lifetime_s=plan["tokenLifetimeS"],
    )
    began = connector.now.timestamp()
    shift_s = began - datetime(2026, 1, 29, 10, tzinfo=UTC).timestamp()
    issued = issue(connector, plan, shift_s, began)
    problems = []
    for round_ in plan["rounds"]:
        pass_time_until(connector, began + round_["at"] / 1000)
        if round_["initialCheckpoint"]:
            initial = datetime.fromisoformat(round_["initialCheckpoint"]).timestamp() + shift_s
            text = datetime.fromtimestamp(initial, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            config = {"maxRetries": 3, "initHistoryDuration": plan["history"], "initialCheckpoint": text}
            connector.write("config", json.dumps(config))
        set_faults(connector, plan, round_)
        started = []
        for start in round_["starts"]:
            pass_time_until(connector, began + (round_["at"] + start["after"]) / 1000)
            started.append(connector.start())
        settle(local)
        if round_["quiet"] and (ran := connector.ran(started[0])).outcome not in ("caught up", "more waiting"):
            problems.append(f"a run without faults did not succeed: {ran.state} {ran.outcome} {ran.info}")
    return problems + judge(connector, plan, issued, began)


def pass_time_until(connector: Connector, at: float) -> None:
    left = at - connector.now.timestamp()
    if left > 0:
        connector.pass_time(left / 60)


def issue(connector: Connector, plan: dict[str, Any], shift_s: float, began: float) -> dict[str, dict[str, Any]]:
    """Put all records into SCM; by id, with the moments from which they exist and can be seen."""
    issued = {}
    for made in (made for round_ in plan["rounds"] for made in round_["records"]):
        at = made["us"] / 1e6 + shift_s
        visible = at + made["lateS"]
        connector.issue(made["record"], visible_after_s=max(0.0, visible - began))
        issued[made["record"]["id"]] = {"at": at, "visible": visible, **made["record"]}
    return issued


def set_faults(connector: Connector, plan: dict[str, Any], round_: dict[str, Any]) -> None:
    connector.clear_faults()
    for rule in round_["faults"]:
        connector.fault(**{"caller": "script", **rule})
    executions = {"api": "automation", "method": "GET", "path": "/platform/automation/v1/executions*"}
    if not plan["executions"]:
        connector.fault(**executions, caller="script", status=403, times=None)
    if not plan["legs"]:
        connector.fault(api="automation", method="POST", caller="script", status=403, times=None)


def judge(connector: Connector, plan: dict[str, Any], issued: dict[str, dict[str, Any]], began: float) -> list[str]:
    arrived = connector.arrived()
    counts = Counter(str(entry["event.id"]) for entry in arrived)
    until = began + plan["rounds"][-1]["at"] / 1000 - LEFT_S
    initial = any(round_["initialCheckpoint"] for round_ in plan["rounds"])
    back_h = 20 if initial else 31 if plan["history"] == "1d12h" else 2
    problems = []
    for id, source in issued.items():
        late = source["visible"] - source["at"]
        due = began - back_h * 3600 <= source["at"] and source["visible"] <= until and late <= LATE_AT_MOST_S
        if due and id not in counts:
            problems.append(f"missing: {id} of {source['timestamp']}")
    for entry in arrived:
        known = issued.get(str(entry["event.id"]))
        if known is None:
            problems.append(f"delivered but never issued: {entry['event.id']}")
        elif known["action"] != entry["event.action"] or known["objectName"] != entry["object.name"]:
            problems.append(f"changed on the way: {entry['event.id']}")
    repeats = sum(counts.values()) - len(counts)
    quiet = all(not round_["faults"] for round_ in plan["rounds"]) and not initial and plan["executions"]
    if quiet and repeats:
        problems.append(f"{repeats} repeats in a world without faults")
    return problems
