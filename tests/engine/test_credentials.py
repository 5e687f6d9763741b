"""Credentials are tried before they are believed, and what the user marked as secret stays secret."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, SEED, SERVICE_USER, new_token
from tests.engine import inside
from tests.engine.deployment import PROJECT, Deployment

SCOPES = ("logs.ingest", "credentialVault.read", "credentialVault.write", "settings.read", "settings.write")
SCM_CLIENT = "7d1f3a52-9c0b-4e0e-8a44-5ec719000001"
WRITES = ("POST /api/v2/credentials", "PUT ", "DELETE ", "POST /platform/automation/v1/workflows")
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
UNKNOWN = f"dt0c01.{'A' * 24}.{'B' * 64}"


def writes(stack: Deployment) -> list[str]:
    return [call for call in stack.calls() if call.startswith(WRITES)]


def test_a_changed_credential_is_tried_in_the_same_up_and_a_wrong_one_changes_nothing(
    stack: Deployment, local: Local
) -> None:
    assert stack.up().changes["create"] >= {"access", "scm", "first-run"}
    ids = stack.outputs

    # Credentials that deploy: no object needs a write, and they are checked all the same.
    for key, wrong, says in (
        ("dynatraceApiToken", UNKNOWN, "dynatraceApiToken"),
        ("oauthClientSecret", "dt0s02.LOCALCLI.WRONG", "Check oauthClientSecret, oauthClientId and accountUrn"),
    ):
        before = stack.file.read_text()
        stack.configure_secret(key, wrong)
        stack.forget_calls()
        refused = stack.up(check=False)
        assert refused.code != 0
        assert says in refused.text
        assert writes(stack) == []
        stack.file.write_text(before)
    stack.configure(accountUrn="urn:dtaccount:99999999-0000-4000-8000-000000000001")
    assert "accountUrn; the client must belong to that account" in stack.up(check=False).text
    stack.configure(accountUrn=CLIENT.get("account", "urn:dtaccount:5ec71900-0000-4000-8000-000000000001"))
    stack.configure_secret("dynatraceApiToken", new_token(local, *SCOPES, owner=SERVICE_USER["email"]))
    stack.forget_calls()
    assert stack.up().changes == {"update": {"access"}}
    assert writes(stack) == []

    # Credentials that the workflow uses: tried before they are written, and a run proves them.
    before = stack.file.read_text()
    stack.configure_secret("sectigoClientSecret", "mistyped")
    stack.forget_calls()
    refused = stack.up(check=False)
    assert "“Sectigo SCM OAuth” was not written: SCM rejected the OAuth client (401" in refused.text
    assert "mistyped" not in refused.text
    assert writes(stack) == []
    stack.file.write_text(before)
    local.sim("POST", "identities", {"scmClients": [{"id": SCM_CLIENT, "secret": "anöther"}]})
    local.sim("POST", "clock", {"step": 60})
    stack.configure_secret("sectigoClientSecret", "anöther")
    assert stack.up().changes == {"update": {"scm", "first-run"}}
    assert [row["state"] for row in inside.runs(local)] == ["SUCCESS", "SUCCESS"]
    assert stack.outputs["workflowId"] == ids["workflowId"]
    assert stack.preview("--expect-no-changes").changes == {}


def latin_1(folder: Path) -> dict[str, str]:
    """Variables of a Latin-1 locale; where none can be made, those of a C locale in which Python reads no UTF-8."""
    made = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(folder / "en_US.ISO-8859-1")]
    try:
        subprocess.run(made, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return C_LOCALE
    return {"LC_ALL": "en_US.ISO-8859-1", "LOCPATH": str(folder)}


def test_in_another_locale_nothing_is_garbled(stack: Deployment, local: Local, tmp_path: Path) -> None:
    stack.configure(name="Zertifikate für Köln €")
    stack.up()
    scm = stack.outputs["scmCredentialId"]
    assert "ü" in inside.value(local, scm)

    for locale, secret in ((latin_1(tmp_path), "neu: äöü €"), (C_LOCALE, "noch einmal neu: äöü €")):
        stack.env |= locale
        local.sim("POST", "clock", {"step": 60})
        local.sim("POST", "identities", {"scmClients": [{"id": SCM_CLIENT, "secret": secret}]})
        stack.configure_secret("sectigoClientSecret", secret)
        assert stack.up().changes == {"update": {"scm", "first-run"}}, "and all other text is as it was"
        assert inside.value(local, scm) == secret

    assert any(name.startswith("Zertifikate für Köln €") for name in inside.names(local))


def test_what_the_user_marked_as_secret_is_stored_and_shown_nowhere_in_plaintext(
    stack: Deployment, local: Local
) -> None:
    marked = {
        "sectigoClientId": SCM_CLIENT,
        "oauthClientId": CLIENT["id"],
        "accountUrn": "urn:dtaccount:5ec71900-0000-4000-8000-000000000001",
        "dynatraceEnvironmentUrl": local.url,
        "scmApiUrl": "https://audit.demo.sectigo.com",
        "scmTokenUrl": "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token",
        "ssoTokenUrl": f"{local.url}/sso/oauth2/token",
        "triggerIntervalMinutes": "7",
        "name": "Confidential title",
    }
    for key, text in marked.items():
        stack.configure_secret(key, text)
    shown = [stack.preview("--diff").text, stack.up("--diff").text]
    state = (stack.state / ".pulumi" / "stacks" / PROJECT / f"{stack.stack}.json").read_text()
    stack.configure_secret("name", "Another confidential title")
    shown.append(stack.preview("--diff", check=False).text)
    stack.configure_secret("name", marked["name"])
    local.sim("POST", "faults", {"api": "vault", "status": 400, "times": 1})
    stack.configure(initHistoryDuration="2h")
    shown.append(stack.up("--diff", check=False).text)

    for key, text in marked.items():
        if len(text) > 3:
            assert text not in state, key
            assert all(text not in printed for printed in shown), key
    for host in ("audit.demo.sectigo.com", "auth.sso.sectigo.com", local.url.removeprefix("http://")):
        assert host not in state
        assert all(host not in printed for printed in shown)
    resources = json.loads(state)["checkpoint"]["latest"]["resources"]
    workflow = next(one for one in resources if one["urn"].endswith("::workflow"))
    assert "ciphertext" in workflow["inputs"]["schedule"]
    assert yaml.safe_load(stack.file.read_text())["config"][f"{PROJECT}:initHistoryDuration"] == "2h"


def test_a_platform_token_takes_the_place_of_the_oauth_client_without_touching_an_object(
    stack: Deployment, local: Local
) -> None:
    nothing = inside.names(local)
    stack.up()
    stack.configure(oauthClientId=None, oauthClientSecret=None, accountUrn=None)
    stack.configure_secret("platformToken", f"dt0s16.{'X' * 24}.{'Y' * 64}")
    stack.forget_calls()
    refused = stack.up(check=False)
    assert "platformToken: POST /platform/management/v1/effective-permissions:resolve answered 401" in refused.text
    assert "Y" * 64 not in refused.text
    assert writes(stack) == []

    stack.configure_secret("platformToken", SEED["platform_tokens"][0]["token"])
    assert stack.up().changes == {"update": {"access"}}
    assert writes(stack) == []
    assert "POST /sso/oauth2/token" not in stack.calls()
    assert stack.preview("--expect-no-changes").changes == {}
    state = (stack.state / ".pulumi" / "stacks" / PROJECT / f"{stack.stack}.json").read_text()
    assert SEED["platform_tokens"][0]["token"].rsplit(".", 1)[1] not in state
    stack.destroy("--run-program")
    assert inside.names(local) == nothing
