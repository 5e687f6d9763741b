"""The connector in a local environment: its vault entries, allowlist and workflow, and what each of its runs did.

The script is the real one, rendered as for a deployment, in the real runtime with the real SDK; SCM and Dynatrace are
the local environment's. Its clock is ``auto``, so waits cost nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any
from urllib.parse import parse_qsl

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY, SEED, Headers, bearer
from local_dynatrace.testing.flows import API, allow, author, get, settle
from local_dynatrace.testing.flows import start as start_execution
from providers.api.vault import entry_body
from workflow_src.render import TASK, definition, render_script, render_workflow, script_template

TOKEN_URL = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token"
SCM_URL = "https://audit.demo.sectigo.com"
HOSTS = ("audit.demo.sectigo.com", "auth.sso.sectigo.com", "127.0.0.1")
RECORDS = "/api/v1/records"
"""Path of the audit API, for fault rules."""
INGEST = "/api/v2/logs/ingest"
SECRET: str = SEED["scm_clients"][0]["secret"]
AUDIT, LEDGER = "sectigo-scm", "sectigo-scm-connector"
LOGS_BUCKETS = ("storage:logs:read", "storage:buckets:read")

Record = dict[str, Any]


@dataclass(frozen=True)
class Ran:
    """What came of one run."""

    execution: str
    state: str
    info: str
    result: Any
    log: str

    @property
    def outcome(self) -> str:
        return str((self.result or {}).get("outcome", ""))

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith("WARN ")]


class Connector:
    """One connector; ``local`` must have been reset."""

    def __init__(self, local: Local, *, config: Any = None, history: str = "2h", max_minutes: int = 55) -> None:
        self.local = local
        self.headers = author(local)
        self.reader = bearer(local, *LOGS_BUCKETS)
        self.vault = bearer(local, "environment-api:credentials:read")
        scm = SEED["scm_clients"][0]
        text = config if isinstance(config, str) else json.dumps(config or {"initHistoryDuration": history})
        self.ids = {
            "scm": self.entry("OAuth", {"user": scm["id"], "password": scm["secret"]}, "USERNAME_PASSWORD"),
            "ingest": self.entry("Log Ingest Token", {"token": SEED["api_tokens"][1]["token"]}),
            "checkpoint": self.entry("Checkpoint", {"token": "NONE"}),
            "lock": self.entry("Execution Lock", {"token": "IDLE"}),
            "config": self.entry("Workflow Config", {"token": text}),
        }
        self.allow_all()
        self.parameters = {
            "environmentUrl": local.url,
            "scmApiUrl": SCM_URL,
            "scmTokenUrl": TOKEN_URL,
            "maxExecutionTimeMinutes": max_minutes,
            "attributes": {},
            "scmCredentialId": self.ids["scm"],
            "logIngestCredentialId": self.ids["ingest"],
            "checkpointCredentialId": self.ids["checkpoint"],
            "executionLockCredentialId": self.ids["lock"],
            "workflowConfigCredentialId": self.ids["config"],
        }
        answer = local.call("POST", f"{API}/workflows", headers=self.headers, json=self.definition())
        assert answer.status_code == 201, answer.text
        self.workflow: str = answer.json()["id"]

    def definition(self, *, interval_minutes: int = 10, active: bool = False) -> dict[str, Any]:
        return render_workflow(
            definition(),
            title="Sectigo SCM Integration",
            description="",
            script=render_script(script_template(), self.parameters),
            interval_minutes=interval_minutes,
            active=active,
            private=False,
            actor="",
        )

    # --- the vault ---------------------------------------------------------------------------------------------------

    def entry(self, name: str, secret: dict[str, str], type: str = "TOKEN") -> str:
        answer = self.local.call("POST", "/api/v2/credentials", headers=DEPLOY, json=self.body(name, secret, type))
        assert answer.status_code == 201, answer.text
        id: str = answer.json()["id"]
        return id

    def body(self, name: str, secret: dict[str, str], type: str = "TOKEN") -> dict[str, Any]:
        return entry_body(
            name=f"Sectigo SCM {name}", type=type, description="of a test", owner_access_only=False, secret=secret
        )

    def write(self, which: str, value: str) -> None:
        """Overwrite the value of a TOKEN entry, as a person would."""
        path = f"/api/v2/credentials/{self.ids[which]}"
        answer = self.local.call("PUT", path, headers=DEPLOY, json=self.body(which, {"token": value}))
        assert answer.status_code == 204, answer.text

    def rotate(self, client: str, secret: str) -> None:
        """A new client or secret of SCM, as ``pulumi up`` brings it into the vault."""
        body = self.body("OAuth", {"user": client, "password": secret}, "USERNAME_PASSWORD")
        path = f"/api/v2/credentials/{self.ids['scm']}"
        assert self.local.call("PUT", path, headers=DEPLOY, json=body).status_code == 204

    def disallow(self, host: str) -> None:
        """Take a host from the outbound allowlist."""
        allow(self.local, *(other for other in HOSTS if other != host))

    def allow_all(self) -> None:
        allow(self.local, *HOSTS)

    def read(self, which: str) -> str:
        path = f"/platform/classic/environment-api/v2/credentials/{self.ids[which]}/details"
        answer = self.local.call("GET", path, headers=self.vault)
        if answer.status_code == 401:  # a bearer lives five minutes, and tests let days pass
            self.vault = bearer(self.local, "environment-api:credentials:read")
            answer = self.local.call("GET", path, headers=self.vault)
        assert answer.status_code == 200, answer.text
        value: str = answer.json()["token"]
        return value

    @property
    def checkpoint(self) -> tuple[str, dict[str, Any]]:
        """What the vendor's script would read, and the machine part."""
        human, _, machine = self.read("checkpoint").partition("\n")
        return human, json.loads(machine or "{}")

    @property
    def reached(self) -> datetime | None:
        """Everything up to here was read, by the checkpoint."""
        hw = self.checkpoint[1].get("hw")
        return None if hw is None else datetime.fromisoformat(hw)

    # --- time, SCM, faults -------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.local.sim("GET", "clock")["nowUs"] / 1e6, UTC)

    def pass_time(self, minutes: float) -> None:
        self.local.sim("POST", "clock", {"step": minutes * 60})

    def issue(self, *records: Record, visible_after_s: float = 0) -> None:
        """SCM has these records now, or shows them later."""
        self.local.sim("POST", "scm/records", {"records": list(records), "visibleAfterS": visible_after_s})

    def records_before(self, count: int, *, end_minutes_ago: float = 2, apart_s: float = 1) -> list[Record]:
        """Records with ids ``r0``, ``r1`` … whose last one is so many minutes old."""
        end = self.now - timedelta(minutes=end_minutes_ago)
        return [record(f"r{i}", end - timedelta(seconds=apart_s * (count - 1 - i))) for i in range(count)]

    def options(self, **values: Any) -> None:
        self.local.sim("PATCH", "options", values)

    def fault(self, **rule: Any) -> int:
        rule_id: int = self.local.sim("POST", "faults", rule)["id"]
        return rule_id

    def page_fault(self, **rule: Any) -> int:
        return self.fault(**{"api": "scm", "path": RECORDS, "caller": "script", **rule})

    def pages(self, *pages: tuple[Any, str | None], first: int = 1) -> None:
        """What SCM answers from its ``first`` page on: (body, token header) each."""
        for number, (body, token) in enumerate(pages, start=first):
            self.page_fault(nth=number, status=200, body=body, headers={} if token is None else {"token": token})

    def clear_faults(self) -> None:
        self.local.sim("DELETE", "faults")

    def requests(self, path: str = "*") -> list[Record]:
        """What scripts asked, oldest first; ``path`` is a shell pattern."""
        lines: list[Record] = self.local.sim("GET", "requests", caller="script", limit=20_000)["requests"]
        return [line for line in lines if fnmatch(line["path"], path)]

    @property
    def queries(self) -> list[dict[str, str]]:
        """The parameters of each call for records so far."""
        return [dict(parse_qsl(line["query"])) for line in self.requests(RECORDS)]

    # --- runs --------------------------------------------------------------------------------------------------------

    def start(self, **input: Any) -> str:
        """Start a run; returns the execution's id."""
        try:
            return start_execution(self.local, self.headers, self.workflow, input=input)
        except AssertionError:
            self.headers = author(self.local)
            return start_execution(self.local, self.headers, self.workflow, input=input)

    def run(self, **input: Any) -> Ran:
        """Run once, legs that it starts by itself included; what came of the first one."""
        execution = self.start(**input)
        settle(self.local)
        return self.ran(execution)

    def freeze_at(self, path: str, **rule: Any) -> str:
        """Start a run whose process stops at its first call of this path; returns the execution's id."""
        before = len(self.requests(path))
        self.fault(path=path, caller="script", script="freeze", **rule)
        execution = self.start()
        while len(self.requests(path)) == before:
            pass
        return execution

    def thaw(self, execution: str) -> None:
        """Let a stopped process go on to its end."""
        self.local.sim("POST", f"executions/{execution}/thaw")
        settle(self.local)

    def run_beside(self) -> Ran:
        """Run once while another run's process is stopped."""
        execution = self.start()
        while get(self.local, self.headers, f"executions/{execution}")["state"] == "RUNNING":
            pass
        return self.ran(execution)

    def ran(self, execution: str) -> Ran:
        self.headers = author(self.local)
        task = get(self.local, self.headers, f"executions/{execution}/tasks/{TASK}")
        log = get(self.local, self.headers, f"executions/{execution}/tasks/{TASK}/log")
        return Ran(execution, task["state"], task["stateInfo"] or "", task["result"], log)

    def executions(self) -> list[Record]:
        """All executions of the workflow, oldest first."""
        headers: Headers = author(self.local)
        found: list[Record] = get(
            self.local, headers, "executions", workflow=self.workflow, ordering="startedAt", limit=1000
        )["results"]
        return found

    # --- what arrived ------------------------------------------------------------------------------------------------

    def query(self, text: str) -> list[Record]:
        body = {"query": text, "requestTimeoutMilliseconds": 60_000, "maxResultRecords": 100_000}
        path = "/platform/storage/query/v1/query:execute"
        answer = self.local.call("POST", path, headers=self.reader, json=body)
        if answer.status_code == 401:
            self.reader = bearer(self.local, *LOGS_BUCKETS)
            answer = self.local.call("POST", path, headers=self.reader, json=body)
        assert answer.status_code == 200, answer.text
        found: list[Record] = answer.json()["result"]["records"]
        return found

    def arrived(self) -> list[Record]:
        """All audit records in Grail, in the order of their arrival."""
        return self.query(f'fetch logs, from:-400d, to:now() + 1h | filter log.source == "{AUDIT}"')

    def ids_arrived(self) -> list[str]:
        return sorted(str(entry["event.id"]) for entry in self.arrived())

    def count(self) -> tuple[int, int]:
        """How many audit records arrived, and how many different ones by id."""
        (found,) = self.query(
            f'fetch logs, from:-400d, to:now() + 1h | filter log.source == "{AUDIT}" '
            "| summarize all = count(), different = countDistinct(event.id)"
        )
        return int(found["all"]), int(found["different"])

    def ledger(self) -> list[Record]:
        """The runs' own records, oldest first."""
        return self.query(f'fetch logs, from:-400d | filter log.source == "{LEDGER}" | sort timestamp asc')


def moment(at: datetime) -> str:
    """As SCM writes times: six digits, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def record(id: str, at: datetime | str, **more: Any) -> Record:
    """An audit record in the derived form (facts: sectigo 2.2)."""
    body = {
        "id": id,
        "timestamp": at if isinstance(at, str) else moment(at),
        "type": "LOG",
        "service": "scm",
        "action": "issue",
        "category": "ssl",
        "status": "SUCCESS",
        "customerId": 1234,
        "objectType": "scm.ssl",
        "objectId": "69809",
        "details": f"Certificate for {id}",
    }
    return {**body, **more}
