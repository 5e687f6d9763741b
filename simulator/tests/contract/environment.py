"""What a contract test talks to: the local environment, or a real tenant that environment variables name.

``DT_TENANT_URL`` (``https://ID.live.dynatrace.com``), ``DT_TENANT_API_TOKEN``, ``DT_TENANT_CLIENT_ID`` and
``DT_TENANT_CLIENT_SECRET`` are needed; ``DT_TENANT_APPS_URL`` and ``DT_TENANT_SSO_URL`` only where they do not follow
from the first. Scopes: those of the manual, ``settings.read``, ``storage:logs:read``, ``storage:buckets:read``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY_TOKEN

from .recording import Recording

NEEDED = ("DT_TENANT_URL", "DT_TENANT_API_TOKEN", "DT_TENANT_CLIENT_ID", "DT_TENANT_CLIENT_SECRET")
PRODUCTION_SSO = "https://sso.dynatrace.com/sso/oauth2/token"
SCOPES = (
    "automation:workflows:read", "automation:workflows:write", "automation:workflows:run", "storage:logs:read",
    "storage:buckets:read",
)  # fmt: skip


@dataclass
class Environment:
    name: str
    live: str
    """Address of the classic APIs."""
    apps: str
    """Address of the platform APIs."""
    sso: str
    api_token: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    recording: Recording
    pause: Callable[[float], None]
    """Wait: really, or on the simulated clock."""
    session: requests.Session = field(default_factory=requests.Session)
    _bearer: str = field(default="", repr=False)

    def classic(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._send(method, f"{self.live}/api/v2{path}", {"Authorization": f"Api-Token {self.api_token}"}, more)

    def platform(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._send(method, f"{self.apps}/platform{path}", {"Authorization": f"Bearer {self.bearer()}"}, more)

    def bearer(self) -> str:
        if not self._bearer:
            form = {
                "grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret,
                "scope": " ".join(SCOPES),
            }  # fmt: skip
            answer = self.session.post(self.sso, data=form, timeout=30)
            assert answer.status_code == 200, f"no bearer token: {answer.status_code} {answer.text[:200]}"
            self._bearer = answer.json()["access_token"]
        return self._bearer

    def _send(self, method: str, url: str, headers: Mapping[str, str], more: dict[str, Any]) -> requests.Response:
        own = more.pop("headers", {})
        answer = self.session.request(method, url, headers={**headers, **own}, timeout=60, **more)
        self.recording.keep(answer)
        return answer

    def until(self, found: Callable[[], bool], limit_s: float) -> bool:
        """Ask again until it is so; settling times of the platform are seconds."""
        for _ in range(int(limit_s / 2)):
            if found():
                return True
            self.pause(2)
        return found()


def of_local(local: Local, recording: Recording) -> Environment:
    def pause(seconds: float) -> None:
        local.sim("GET", "idle")  # scripts run in processes of their own, beside the clock
        local.sim("POST", "clock", {"step": seconds})

    environment = Environment(
        "local", local.url, local.url, f"{local.url}/sso/oauth2/token", DEPLOY_TOKEN, CLIENT["id"], CLIENT["secret"],
        recording, pause,
    )  # fmt: skip
    environment.session.trust_env = False
    return environment


def missing() -> list[str]:
    """Variables that a tenant lacks."""
    return [name for name in NEEDED if not os.environ.get(name)]


def of_tenant(recording: Recording) -> Environment:
    live = os.environ["DT_TENANT_URL"].rstrip("/")
    return Environment(
        "tenant", live, os.environ.get("DT_TENANT_APPS_URL", live.replace(".live.", ".apps.")).rstrip("/"),
        os.environ.get("DT_TENANT_SSO_URL", PRODUCTION_SSO), os.environ["DT_TENANT_API_TOKEN"],
        os.environ["DT_TENANT_CLIENT_ID"], os.environ["DT_TENANT_CLIENT_SECRET"], recording, time.sleep,
    )  # fmt: skip
