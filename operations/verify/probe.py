"""Calls whose status matters, recorded; and what has to be removed afterwards."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import requests

from providers.api import destination, scm_login
from providers.api.environment import Environment
from providers.api.errors import DynatraceError
from providers.api.scopes import AUTOMATION_SCOPES
from providers.configuration import Values
from providers.rules import LOOPBACK
from workflow_src.render import TASK

from .facts import NotChecked
from .recording import Recording, Scrubber

WORKFLOWS, EXECUTIONS = "/platform/automation/v1/workflows", "/platform/automation/v1/executions"
CREDENTIALS = "/api/v2/credentials"
LIMIT_S = 60.0
FINAL = ("SUCCESS", "ERROR", "CANCELLED")


class Probe:
    """``slow``: may take minutes. ``with_logs``: may send log records, which nobody can delete again."""

    def __init__(self, environment: Environment, config: Values, *, slow: bool, with_logs: bool) -> None:
        self.environment, self.config, self.slow, self.with_logs = environment, config, slow, with_logs
        self.mark = f"sectigo-dynatrace-verify-{secrets.token_hex(4)}"
        access = environment.access
        hidden = (*access.secrets, config["sectigoClientSecret"], config["sectigoClientId"], access.oauth_client_id)
        hosts = (access.environment_url, access.apps_url, config["scmApiUrl"], config["scmTokenUrl"])
        hidden += tuple(str(urlsplit(url).netloc) for url in hosts)
        self.recording = Recording(Scrubber(hidden, self.mark))
        self._session = requests.Session()
        self._scm_token = ""

    @property
    def name(self) -> str:
        """Of scratch objects."""
        return f"{self.mark} (safe to delete)"

    # calls

    def classic(self, method: str, path: str, *, token: str = "", **more: Any) -> requests.Response:
        headers = {"Authorization": f"Api-Token {token or self.environment.access.api_token}"}
        return self._send(method, self.environment.access.environment_url + path, headers, **more)

    def platform(
        self, method: str, path: str, *, scopes: tuple[str, ...] = AUTOMATION_SCOPES, **more: Any
    ) -> requests.Response:
        try:
            headers = {"Authorization": f"Bearer {self.environment.bearer(scopes)}"}
        except DynatraceError as error:
            raise NotChecked(str(error)) from None
        return self._send(method, self.environment.access.apps_url + path, headers, **more)

    def sso(self, **form: str) -> requests.Response:
        """A token request that is expected to fail."""
        access = self.environment.access
        if access.platform_token:
            raise NotChecked("this stack has no OAuth client")
        sent = {
            "grant_type": "client_credentials",
            "client_id": access.oauth_client_id,
            "client_secret": access.oauth_client_secret,
            "resource": access.account_urn,
            **form,
        }
        return self._send("POST", access.sso_token_url, {}, data=sent)

    def scm(self, **query: str) -> requests.Response:
        """A page of the audit API. Only its form is recorded."""
        config = self.config
        if not self._scm_token:
            secret = config["sectigoClientSecret"]
            http = self.environment.scm_http
            answer = scm_login.token(http, config["scmTokenUrl"], config["sectigoClientId"], secret)
            self._scm_token = str(answer["access_token"])
        headers = {"Authorization": f"Bearer {self._scm_token}", "Accept": "application/json"}
        return self._send(
            "GET", config["scmApiUrl"] + "/api/v1/records", headers, params=query, shape_only=True, to=self._scm_address
        )

    @property
    def _scm_address(self) -> str:
        parts = urlsplit(self.environment.access.environment_url)
        return parts.netloc if parts.hostname in LOOPBACK else ""

    def _send(
        self,
        method: str,
        url: str,
        authorization: dict[str, str],
        /,
        *,
        shape_only: bool = False,
        to: str = "",
        **more: Any,
    ) -> requests.Response:
        address, named = destination.redirected(url, destination.override() or to)
        self._session.trust_env = urlsplit(address).hostname not in LOOPBACK
        sent_headers = {**authorization, **named, **more.pop("headers", {})}
        answer = self._session.request(
            method, address, headers=sent_headers, timeout=(10, 60), allow_redirects=False, **more
        )
        parts = urlsplit(answer.request.url or "")
        self.recording.keep(
            method,
            parts.path + (f"?{parts.query}" if parts.query else ""),
            {**more["data"], "client_secret": "<secret>"} if isinstance(more.get("data"), dict) else more.get("json"),
            answer.status_code,
            answer.headers.get("content-type", "").partition(";")[0],
            decoded(answer),
            shape_only=shape_only,
        )
        return answer

    def until(self, found: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
        """Ask again until it is so: the platform settles within seconds."""
        ends = time.monotonic() + limit_s
        while not found():
            if time.monotonic() > ends:
                return False
            self.environment.sleep(1.0)
        return True

    # scratch objects

    @contextmanager
    def entry(self, **more: Any) -> Iterator[str]:
        """A vault entry of our own; yields its ID."""
        made = self.classic("POST", CREDENTIALS, json={**self.entry_body(), **more})
        if made.status_code != 201:
            raise NotChecked(f"a scratch vault entry cannot be created: {made.status_code} {made.text[:200]}")
        id = str(made.json()["id"])
        try:
            yield id
        finally:
            self.classic("DELETE", f"{CREDENTIALS}/{id}")

    def entry_body(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": "TOKEN",
            "token": "no secret",
            "description": "made by make verify",
            "scopes": ["APP_ENGINE"],
            "ownerAccessOnly": True,
            "allowContextlessRequests": True,
        }

    @contextmanager
    def workflow(self, script: str = "export default async function () { return { done: true }; }") -> Iterator[str]:
        """A workflow of our own, with its schedule off; yields its ID."""
        made = self.platform("POST", WORKFLOWS, json=self.workflow_body(script))
        if made.status_code != 201:
            raise NotChecked(f"a scratch workflow cannot be created: {made.status_code} {made.text[:200]}")
        id = str(made.json()["id"])
        try:
            yield id
        finally:
            self.platform("DELETE", f"{WORKFLOWS}/{id}")

    def workflow_body(self, script: str) -> dict[str, Any]:
        task = {
            "name": TASK,
            "action": "dynatrace.automations:run-javascript",
            "description": "made by make verify",
            "active": True,
            "input": {"script": script},
            "position": {"x": 0, "y": 1},
            "predecessors": [],
            "timeout": 300,
        }
        schedule = {"trigger": {"type": "interval", "intervalMinutes": 10}, "isActive": False, "timezone": "UTC"}
        return {
            "title": self.name,
            "description": "made by make verify",
            "isPrivate": True,
            "isDeployed": True,
            "type": "STANDARD",
            "hourlyExecutionLimit": 60,
            "tasks": {TASK: task},
            "trigger": {"schedule": schedule},
        }

    def run(self, script: str, limit_s: float = LIMIT_S) -> tuple[dict[str, Any], dict[str, Any], str]:
        """Run a script as the connector's script runs: its execution, its task, its log."""
        with self.workflow(script) as id:
            started = self.platform("POST", f"{WORKFLOWS}/{id}/run", json={"input": {}, "uniqueQualifier": self.mark})
            if started.status_code not in (200, 201, 202):
                raise NotChecked(f"a scratch workflow cannot be run: {started.status_code} {started.text[:200]}")
            execution = self.ended(str(started.json()["id"]), limit_s)
            path = f"{EXECUTIONS}/{execution['id']}/tasks/{TASK}"
            task: dict[str, Any] = self.platform("GET", path).json()
            log = decoded(self.platform("GET", f"{path}/log"))
            return execution, task, log if isinstance(log, str) else json.dumps(log)

    def ended(self, execution: str, limit_s: float = LIMIT_S) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def has_ended() -> bool:
            found.update(self.platform("GET", f"{EXECUTIONS}/{execution}").json())
            return found.get("state") in FINAL

        if not self.until(has_ended, limit_s):
            raise NotChecked(f"execution {execution} is still {found.get('state')} after {limit_s:.0f} s")
        return found

    def close(self) -> None:
        self._session.close()


def decoded(answer: requests.Response) -> Any:
    """JSON where it is JSON, else text, in UTF-8."""
    text = answer.content.decode("utf-8", "replace")
    with suppress(ValueError):
        return json.loads(text) if text else None
    return text
