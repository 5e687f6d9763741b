"""Providers in the test's own process, against the local environment over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from local_dynatrace.seed import load
from local_dynatrace.testing import Local
from providers.api.environment import Environment
from providers.configuration import SCM_TOKEN_URL, Access, Properties

SEED = load()
DEPLOY, INGEST = (token["token"] for token in SEED["api_tokens"])
CLIENT = SEED["oauth_clients"][0]
SCM_CLIENT = {
    "user": SEED["scm_clients"][0]["id"], "password": SEED["scm_clients"][0]["secret"], "tokenUrl": SCM_TOKEN_URL,
}  # fmt: skip
"""Inputs of an SCM credential: a client that SCM knows."""
SERVICE_USER = SEED["users"][0]["id"]


def short_sleep(seconds: float) -> None:
    """Back-off is tested as a pure function; here it only costs time."""
    time.sleep(min(seconds, 0.01))


@pytest.fixture
def environment(local: Local) -> Environment:
    return connect(local)


def connect(local: Local, sleep: Callable[[float], None] = short_sleep, **changes: str) -> Environment:
    """The environment as a new provider process sees it."""
    return Environment(access(local, **changes), sleep=sleep)


def access(local: Local, **changes: str) -> Access:
    values = {
        "environment_url": local.url,
        "apps_url": local.url,
        "sso_token_url": f"{local.url}/sso/oauth2/token",
        "api_token": DEPLOY,
        "oauth_client_id": CLIENT["id"],
        "oauth_client_secret": CLIENT["secret"],
        "account_urn": SEED["account"],
        "log_ingest_token": INGEST,
    }
    return Access(**{**values, **changes})


def place(local: Local, name: str = "Sectigo SCM", stack: str = "sectigo-dynatrace/test") -> Properties:
    return {"environment": local.url, "connector": name, "stack": stack}


def entry(where: Properties, name: str, **more: Any) -> dict[str, Any]:
    """Inputs of a vault entry, as a provider gets them."""
    base = {"name": f"{where['connector']} {name}", "purpose": "For a test.", "ownerAccessOnly": False}
    return {**where, **base, "adoptKey": "scm", "adopt": "", **more}


def vault(local: Local) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Api-Token {DEPLOY}"}
    answer = local.call("GET", "/api/v2/credentials", headers=headers, params={"pageSize": 500})
    found: list[dict[str, Any]] = answer.json()["credentials"]
    return found


def named(local: Local, name: str) -> list[dict[str, Any]]:
    return [found for found in vault(local) if found["name"] == name]
