"""``python -m local_sectigo.vendor``: what the vendor's ``deploy.sh`` leaves behind, to rehearse a migration.

Five vault entries and a workflow without any mark of a Pulumi stack, and the ``config.yaml`` that such an installation
has. The manual shows the names of three entries and of the workflow; the others are UNVERIFIED.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import yaml

from local_dynatrace import seed
from local_dynatrace.claim import holder
from local_dynatrace.kernel.options import Options

CHECKPOINT = "2026-01-29T09:44:11.611092Z|9d3cd09c-0000-4000-8000-000000000001"
ENTRIES: dict[str, dict[str, str]] = {
    "scm": {"name": "Sectigo SCM OAuth", "type": "USERNAME_PASSWORD", "user": "old", "password": "old"},
    "logIngest": {"name": "Dynatrace Log Ingest Token", "type": "TOKEN", "token": "dt0c01.OLD.OLD"},
    "checkpoint": {"name": "Sectigo SCM Checkpoint", "type": "TOKEN", "token": CHECKPOINT},
    "executionLock": {"name": "Sectigo SCM Execution Lock", "type": "TOKEN", "token": "IDLE"},
    "workflowConfig": {
        "name": "Sectigo SCM Workflow Config",
        "type": "TOKEN",
        "token": '{"maxRetries": 5, "initHistoryDuration": "3h"}',
    },
}
"""By the keys of the stack config's ``adopt``."""
SCHEDULE = {
    "trigger": {"type": "interval", "intervalMinutes": 2},
    "isActive": True,
    "timezone": "UTC",
    "rule": None,
    "filterParameters": {},
}
WORKFLOW: dict[str, Any] = {
    "title": "Sectigo SCM Integration",
    "isPrivate": False,
    "trigger": {"schedule": SCHEDULE},
    "tasks": {
        "sync_logs": {
            "name": "sync_logs",
            "action": "dynatrace.automations:run-javascript",
            "position": {"x": 0, "y": 1},
            "predecessors": [],
            "input": {"script": "export default async function () {}"},
        }
    },
}
DEFAULT_FILE = Path("build/vendor/config.yaml")
AGO = timedelta(minutes=10)


def install(url: str, checkpoint: str = CHECKPOINT) -> dict[str, str]:
    """Create the objects as the seed's service user; returns their IDs, by the keys of ``adopt``."""
    planted = seed.load()
    token, client = planted["api_tokens"][0]["token"], planted["oauth_clients"][0]
    session = requests.Session()
    session.trust_env = False
    ids = {}
    for key, entry in ENTRIES.items():
        body = {**entry, "description": "", "scopes": ["APP_ENGINE"], "allowContextlessRequests": True}
        if key == "checkpoint":
            body["token"] = checkpoint
        headers = {"Authorization": f"Api-Token {token}"}
        ids[key] = created(session.post(f"{url}/api/v2/credentials", headers=headers, json=body, timeout=20))
    form = {"grant_type": "client_credentials", "client_id": client["id"], "client_secret": client["secret"]}
    form |= {"scope": "automation:workflows:write", "resource": planted["account"]}
    login = session.post(f"{url}/sso/oauth2/token", data=form, timeout=20)
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    path = f"{url}/platform/automation/v1/workflows"
    ids["workflow"] = created(session.post(path, headers=headers, json=WORKFLOW, timeout=20))
    return ids


def created(answer: requests.Response) -> str:
    """ID of a new object. Raises RuntimeError with the API's refusal."""
    if not answer.ok:
        raise RuntimeError(f"the local environment answered {answer.status_code}: {answer.text[:300]}")
    return str(answer.json()["id"])


def config(url: str) -> dict[str, Any]:
    """The vendor's ``config.yaml`` of such an installation."""
    planted = seed.load()
    client, scm = planted["oauth_clients"][0], planted["scm_clients"][0]
    return {
        "dynatrace_api_token": planted["api_tokens"][0]["token"],
        "dynatrace_environment_url": url,
        "oauth_client_id": client["id"],
        "oauth_client_secret": client["secret"],
        "account_urn": planted["account"],
        "scm_api_url": "https://audit.demo.sectigo.com",
        "sectigo_client_id": scm["id"],
        "sectigo_client_secret": scm["secret"],
        "max_retries": 5,
        "max_execution_time_minutes": 55,
        "init_history_duration": "3h",
        "initial_checkpoint": "",
        "trigger_interval_minutes": 2,
        "trigger_enabled": True,
    }


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local_sectigo.vendor", description=__doc__)
    parser.add_argument("--state", type=Path, default=Options.state, help="of the local environment: %(default)s")
    parser.add_argument("--file", type=Path, default=DEFAULT_FILE, help="the config.yaml to write: %(default)s")
    options = parser.parse_args(words)
    running = holder(options.state)
    if running is None:
        print("error: no local environment is running; start it with make seed-vendor", file=sys.stderr)
        return 1
    health = requests.get(f"{running.url}/_sim/health", timeout=20).json()
    now = datetime.fromisoformat(health["clock"]["now"])
    ids = install(running.url, f"{now - AGO:%Y-%m-%dT%H:%M:%SZ}|9d3cd09c-0000-4000-8000-000000000001")
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text(yaml.safe_dump(config(running.url), allow_unicode=True, sort_keys=False), encoding="utf-8")
    print(f"Created in the local environment {running.url}, as the vendor's script does:")
    for key, id in ids.items():
        print(f"  {ENTRIES[key]['name'] if key in ENTRIES else WORKFLOW['title']:<28} {id}")
    print(f"Wrote {options.file}, the config.yaml of this installation.")
    print("Next: docs/way-in.md, “Rehearse it”")
    return 0


if __name__ == "__main__":
    sys.exit(main())
