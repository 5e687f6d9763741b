"""Recordings hold nothing that names a tenant or lets somebody in."""

from __future__ import annotations

import json
from pathlib import Path

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY_TOKEN, SERVICE_USER

from .environment import of_local
from .recording import Recording, Scrubber


def test_what_a_run_recorded_is_scrubbed_and_dated(local: Local, tmp_path: Path) -> None:
    environment = of_local(local, Recording(Scrubber((DEPLOY_TOKEN, CLIENT["secret"]))))
    entry = {"name": "x", "type": "TOKEN", "token": DEPLOY_TOKEN, "scopes": ["APP_ENGINE"]}
    made = environment.classic("POST", "/credentials", json=entry).json()["id"]
    environment.classic("GET", f"/credentials/{made}")
    environment.classic("POST", "/apiTokens/lookup", json={"token": DEPLOY_TOKEN})
    environment.platform("POST", "/automation/v1/workflows", json={"title": "for mara.lindqvist@nordhav.example"})

    file = environment.recording.write(tmp_path, "local")

    text = file.read_text()
    for secret in (DEPLOY_TOKEN, DEPLOY_TOKEN[:31], made, SERVICE_USER["id"], "mara.lindqvist@", str(local.port)):
        assert secret not in text
    kept = json.loads(text)
    assert file.name == f"{kept['date']}-local.json"
    assert [exchange["status"] for exchange in kept["exchanges"]] == [201, 200, 200, 201]
    assert kept["exchanges"][1]["path"].endswith("<vault 1>")
    assert kept["exchanges"][1]["answer"]["id"] == "<vault 1>"


def test_a_real_tenants_names_are_scrubbed() -> None:
    scrubber = Scrubber(("s3cret",))

    told = scrubber.text(
        "https://abc12345.live.dynatrace.com abc12345.apps.dynatrace.com s3cret dt0s16.ABC.DEF "
        "CREDENTIAL_VAULT_ENTRY-0123456789ABCDEF urn:dtaccount:5ec71900-0000-4000-8000-000000000001 10.1.2.3"
    )

    assert told == (
        "https://<host 1> <host 2> <secret> <token 1> <vault 1> <account 1> <host 3>"
    )  # fmt: skip
