"""Workflows, and the runtime of their scripts."""

from __future__ import annotations

from typing import Any

from providers.api.automation import moment
from workflow_src.render import TASK

from .facts import NotChecked, checks, expect
from .probe import WORKFLOWS, Probe

SCRIPT_LIMIT_S = 120.0
SLOW = "it takes three minutes; add ARGS=--slow"
READ_ENTRY = """
import { credentialVaultClient } from "@dynatrace-sdk/client-classic-environment-v2";
export default async function () {
  const began = Date.now();
  for (;;) {
    try {
      const found = await credentialVaultClient.getCredentialsDetails({ id: "ID" });
      return { token: found.token, seconds: Math.round((Date.now() - began) / 1000) };
    } catch (error) {
      if (Date.now() - began > 40000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
"""


def different(wanted: Any, found: Any, at: str = "") -> list[str]:
    """Where something that was written is not so; what the platform adds does not count."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [line for name in wanted for line in different(wanted[name], found.get(name), f"{at}/{name}")]
    return [] if wanted == found else [f"{at}: wrote {wanted!r}, read {found!r}"]


@checks(
    "workflow-fields",
    "A workflow reads back as it was written, so a second deployment finds no difference",
    "dynatrace-api 5.2",
    "providers/workflow_form.py",
    "def drift",
)
def fields(probe: Probe) -> str:
    with probe.workflow() as id:
        found = probe.platform("GET", f"{WORKFLOWS}/{id}").json()
    wanted = probe.workflow_body("export default async function () { return { done: true }; }")
    differences = different(wanted, found)
    expect(not differences, "; ".join(differences)[:400])
    return ""


@checks(
    "workflow-put",
    "A PUT of a workflow keeps what it leaves out",
    "dynatrace-api 5.1",
    "providers/api/automation.py",
    "behaves like a PATCH",
)
def put(probe: Probe) -> str:
    with probe.workflow() as id:
        answer = probe.platform("PUT", f"{WORKFLOWS}/{id}", json={"description": "changed"})
        expect(answer.status_code == 200, f"it answers {answer.status_code} {answer.text[:200]}")
        found = probe.platform("GET", f"{WORKFLOWS}/{id}").json()
    expect(TASK in (found.get("tasks") or {}) and found["title"] == probe.name, "title or tasks are gone")
    return ""


@checks(
    "workflow-deleted",
    "A deleted workflow gets 404 and is in no listing",
    "dynatrace-api 12",
    "providers/api/automation.py",
    "def workflows(self)",
)
def deleted(probe: Probe) -> str:
    with probe.workflow() as id:
        probe.platform("DELETE", f"{WORKFLOWS}/{id}")
        gone = probe.platform("GET", f"{WORKFLOWS}/{id}")
        listed = probe.platform("GET", WORKFLOWS, params={"search": probe.mark, "limit": 100}).json()
    expect(gone.status_code == 404, f"GET answers {gone.status_code}")
    expect(id not in {each["id"] for each in listed["results"]}, "it is still listed")
    return ""


@checks(
    "run-qualifier",
    "A uniqueQualifier that was used before starts nothing: the answer is the first run, also after its end",
    "dynatrace-api 5.4",
    "providers/workflow_run.py",
    "A used qualifier starts nothing",
)
def qualifier(probe: Probe) -> str:
    body = {"input": {}, "uniqueQualifier": probe.mark}
    with probe.workflow() as id:
        first = probe.platform("POST", f"{WORKFLOWS}/{id}/run", json=body)
        if first.status_code not in (200, 201, 202):
            raise NotChecked(f"a scratch workflow cannot be run: {first.status_code} {first.text[:200]}")
        execution = first.json()["id"]
        again = probe.platform("POST", f"{WORKFLOWS}/{id}/run", json=body)
        expect(again.ok and again.json().get("id") == execution, f"at once: {again.status_code} {again.text[:120]}")
        probe.ended(execution)
        later = probe.platform("POST", f"{WORKFLOWS}/{id}/run", json=body)
        expect(later.ok and later.json().get("id") == execution, f"after its end: {later.status_code}, another run")
    return f"statuses {first.status_code}, {again.status_code}, {later.status_code}"


@checks(
    "run-result",
    "A run's result and its console output can be read: the result as JSON, the output as one text",
    "dynatrace-runtime 3",
    "providers/api/automation.py",
    "def task_log",
)
def result(probe: Probe) -> str:
    script = 'export default async function () { console.log("verify: ü €"); return { done: true }; }'
    execution, task, log = probe.run(script)
    expect(execution["state"] == "SUCCESS", f"it ended as {execution['state']}: {execution.get('stateInfo')}")
    expect(task.get("result") == {"done": True}, f"the result is {task.get('result')!r}")
    expect("verify: ü €" in log, f"the log is {log[:200]!r}")
    return ""


@checks(
    "run-failure",
    "The reason of a failed run contains the message of the script's error",
    "dynatrace-runtime 3",
    "providers/workflow_run.py",
    'task.get("stateInfo")',
)
def failure(probe: Probe) -> str:
    execution, task, _ = probe.run('export default async function () { throw new Error("verify: reason"); }')
    expect(execution["state"] == "ERROR", f"it ended as {execution['state']}")
    info = str(task.get("stateInfo") or execution.get("stateInfo"))
    expect("verify: reason" in info, f"stateInfo is {info[:300]!r}")
    return info[:200]


@checks(
    "script-reads-vault",
    "A script reads a new vault entry of the deploy token within 20 s",
    "dynatrace-api 3",
    "workflow_src/sync/limits.js",
    "settle: 20",
)
def reads_vault(probe: Probe) -> str:
    with probe.entry() as id:
        execution, task, _ = probe.run(READ_ENTRY.replace('"ID"', f'"{id}"'))
    if execution["state"] != "SUCCESS":
        expect(False, str(task.get("stateInfo") or execution.get("stateInfo"))[:300])
    read = task.get("result") or {}
    expect(read.get("token") == "no secret", "the value that it read is not the one that was written")
    expect(float(read.get("seconds", 99)) <= 20, f"it took {read.get('seconds')} s")
    return f"after {read.get('seconds')} s"


@checks(
    "script-limit",
    "The platform ends a script at 120 s",
    "dynatrace-runtime 1",
    "workflow_src/sync/limits.js",
    "dead: 130",
)
def limit(probe: Probe) -> str:
    if not probe.slow:
        raise NotChecked(SLOW)
    script = "export default async function () { await new Promise((resolve) => setTimeout(resolve, 150000)); }"
    execution, _, _ = probe.run(script, 200)
    began, ended = moment(execution.get("startedAt")), moment(execution.get("endedAt"))
    if not began or not ended:
        raise NotChecked("the execution has no times")
    took = (ended - began).total_seconds()
    expect(execution["state"] == "ERROR", f"it ended as {execution['state']} after {took:.0f} s")
    expect(SCRIPT_LIMIT_S - 2 <= took <= SCRIPT_LIMIT_S + 10, f"it ended after {took:.0f} s")
    return f"after {took:.0f} s"
