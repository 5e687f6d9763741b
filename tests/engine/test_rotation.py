"""Rotation is `pulumi config set --secret` and `pulumi up`: ids and workflow stay, no run fails."""

from __future__ import annotations

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, SERVICE_USER, bearer, new_token
from tests.engine import inside
from tests.engine.deployment import Deployment

SCOPES = ("logs.ingest", "credentialVault.read", "credentialVault.write", "settings.read", "settings.write")
SCM_CLIENT = "7d1f3a52-9c0b-4e0e-8a44-5ec719000001"
OLD = "dt0c01.LOCALDEPLOYTOKENLOCALDEP"


def test_a_rotated_deploy_token_works_at_once_and_where_it_cannot_the_cure_is_reported(
    stack: Deployment, local: Local
) -> None:
    nothing = inside.names(local)
    stack.up()
    ids = stack.outputs
    before = inside.names(local)
    stack.configure_secret("dynatraceApiToken", new_token(local, *SCOPES, owner=SERVICE_USER["email"]))
    stack.configure_secret("logIngestToken", new_token(local, "logs.ingest"))
    secret = "dt0s02.LOCALCLI.ANOTHERSECRETOFTHECLIENT"
    local.sim("POST", "identities", {"oauthClients": [{**CLIENT, "secret": secret}]})
    stack.configure_secret("oauthClientSecret", secret)
    scm = {"id": SCM_CLIENT, "secret": "another secret of SCM's client"}
    local.sim("POST", "identities", {"scmClients": [scm]})
    stack.configure_secret("sectigoClientSecret", scm["secret"])
    local.sim("PATCH", f"api-tokens/{OLD}", {"enabled": False})
    local.sim("POST", "clock", {"step": 60})

    refused = stack.refresh(check=False)
    assert refused.code != 0
    assert "run refresh and destroy with --run-program" in refused.text
    assert "Traceback" not in refused.text

    stack.refresh("--run-program")
    assert stack.up().changes == {"update": {"access", "scm", "log-ingest", "first-run"}}
    after = stack.outputs
    assert after.pop("firstRun") != ids.pop("firstRun"), "a run proves the new secrets"
    assert {**after, "readme": ids["readme"]} == ids
    assert inside.names(local) == before
    assert stack.preview("--expect-no-changes").changes == {}
    assert stack.preview("--refresh", "--run-program", "--expect-no-changes").changes == {}
    run = f"/platform/automation/v1/workflows/{ids['workflowId']}/run"
    assert local.call("POST", run, headers=bearer(local, "automation:workflows:run"), json={}).ok
    local.sim("GET", "idle")
    assert [row["state"] for row in inside.runs(local)] == ["SUCCESS"] * 3, "the new secrets are in use"
    stack.destroy("--run-program")
    assert inside.names(local) == nothing
