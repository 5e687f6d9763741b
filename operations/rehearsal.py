"""A local environment that accepts a stack's config: its host and client IDs, and placeholders for its secrets."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from providers.api.scopes import DEPLOY_SCOPES, INGEST_SCOPES, NAME_ACTOR, scopes_of

from .stack import ROOT, StackError

OWNER = "automation@service.local"
"""The service user of the local environment's seed; used if the config names no actor."""
CLIENT_SCOPES = scopes_of("oauthClientId", required=None)
"""Those of every feature: whether the real client has them, a preview without secrets cannot know."""
PERMISSIONS = sorted({*scopes_of("actor", required=None), *CLIENT_SCOPES, NAME_ACTOR.scope})
OPTIONS = {"scheduler": False, "scm_stream": False, "credential_settles_s": 0, "allowlist_settles_s": 0}

PLAIN_PLACEHOLDERS = {
    "dynatraceEnvironmentUrl": "https://abc00000.live.dynatrace.com",
    "oauthClientId": "dt0s02.PREVIEW",
    "accountUrn": "urn:dtaccount:00000000-0000-4000-8000-000000000000",
    "scmApiUrl": "https://audit.enterprise.sectigo.com",
    "sectigoClientId": "00000000-0000-4000-8000-000000000001",
}
"""Well-formed values for required settings that are not secrets, where a stack file does not have them."""
NEEDED = (
    "dynatraceEnvironmentUrl", "dynatraceApiToken", "oauthClientId", "oauthClientSecret", "accountUrn", "scmApiUrl",
    "sectigoClientId", "sectigoClientSecret",
)  # fmt: skip
"""Settings without which no stack can be deployed."""


def placeholders(config: Mapping[str, Any]) -> dict[str, str]:
    """Well-formed but worthless secrets, by key."""
    client = str(config.get("oauthClientId", "dt0s02.PREVIEW"))
    return {
        "dynatraceApiToken": f"dt0c01.{'PREVIEWDEPLOY':A<24}.{'PLACEHOLDER':A<64}",
        "logIngestToken": f"dt0c01.{'PREVIEWINGEST':A<24}.{'PLACEHOLDER':A<64}",
        "platformToken": f"dt0s16.{'PREVIEWPLATFORM':A<24}.{'PLACEHOLDER':A<64}",
        "oauthClientSecret": f"{client}.{'PLACEHOLDER':A<64}",
        "sectigoClientSecret": "placeholder-of-a-preview",
    }


@contextmanager
def environment(folder: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Start a local environment that knows the identities of a stack's plain config; yields ``127.0.0.1:PORT``."""
    host = urlsplit(str(config.get("dynatraceEnvironmentUrl", ""))).hostname or ""
    command = [sys.executable, "-m", "local_dynatrace", "serve", "--port", "0", "--clock", "auto"]
    command += ["--state", str(folder / "local-dynatrace.sqlite")]
    for key, value in {**OPTIONS, "environment_host": host}.items():
        command += ["--set", f"{key}={json.dumps(value)}"]
    log = folder / "local-dynatrace.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8")
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if "http://" not in line:
                raise StackError(
                    f"the local environment did not start: {log.read_text(encoding='utf-8', errors='replace')[-500:]}"
                )
            url = line.strip().rsplit(" ", 1)[-1]
            introduce(url, config)
            yield urlsplit(url).netloc
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


def introduce(url: str, config: Mapping[str, Any]) -> None:
    """Register the identities that the config names."""
    secrets = placeholders(config)
    actor = config.get("workflowActor")
    # One service user for token, client and actor, as docs/deploy.md says; the config does not tell if they differ.
    owner = actor or OWNER
    identities = {
        "users": [{"id": actor, "email": f"{actor}@service.local", "kind": "service", "permissions": PERMISSIONS}]
        if actor
        else [],
        "apiTokens": [
            {
                "token": secrets["dynatraceApiToken"],
                "owner": owner,
                "name": "deploy",
                "scopes": [*DEPLOY_SCOPES, *INGEST_SCOPES],
            },
            {"token": secrets["logIngestToken"], "owner": owner, "name": "ingest", "scopes": [*INGEST_SCOPES]},
        ],
        "platformTokens": [{"token": secrets["platformToken"], "owner": owner, "scopes": [*CLIENT_SCOPES]}],
        "oauthClients": []
        if "oauthClientId" not in config
        else [
            {
                "id": config["oauthClientId"],
                "secret": secrets["oauthClientSecret"],
                "subject": owner,
                "scopes": [*CLIENT_SCOPES],
                "account": config.get("accountUrn", ""),
            }
        ],
        "scmClients": [{"id": config.get("sectigoClientId", ""), "secret": secrets["sectigoClientSecret"]}],
    }
    request = urllib.request.Request(
        f"{url}/_sim/identities", json.dumps(identities).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).close()
