"""Rotation is `pulumi config set --secret` and `pulumi up`: ids and workflow stay, no run fails."""

from __future__ import annotations

from tests.engine import inside
from tests.engine.deployment import Deployment, changes
from tests.local import Local
from tests.simulator.callers import CLIENT, SERVICE_USER, new_token

SCOPES = ("logs.ingest", "credentialVault.read", "credentialVault.write", "settings.read", "settings.write")
OLD = "dt0c01.LOCALDEPLOYTOKENLOCALDEP"


def test_a_rotated_deploy_token_works_at_once_and_where_it_cannot_the_cure_is_told(
    stack: Deployment, local: Local
) -> None:
    stack.up()
    ids = stack.outputs
    before = inside.names(local)
    stack.configure_secret("dynatraceApiToken", new_token(local, *SCOPES, owner=SERVICE_USER["email"]))
    stack.configure_secret("logIngestToken", new_token(local, "logs.ingest"))
    secret = "dt0s02.LOCALCLI.ANOTHERSECRETOFTHECLIENT"
    local.sim("POST", "identities", {"oauthClients": [{**CLIENT, "secret": secret}]})
    stack.configure_secret("oauthClientSecret", secret)
    local.sim("PATCH", f"api-tokens/{OLD}", {"enabled": False})

    refused = stack.refresh(check=False)
    assert refused.code != 0
    assert "run refresh and destroy with --run-program" in refused.text
    assert "Traceback" not in refused.text

    stack.refresh("--run-program")
    assert changes(stack.up()) == {"updated": 1, "unchanged": 9}
    assert stack.outputs == ids
    assert inside.names(local) == before
    assert changes(stack.preview("--expect-no-changes")) == {"unchanged": 10}
    stack.destroy("--run-program")
