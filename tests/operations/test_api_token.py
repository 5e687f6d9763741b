"""``make api-token``: tokens of the service user go straight into the encrypted config."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, SEED, SERVICE_USER, lookup
from operations import api_token
from operations.stack import StackError
from providers.api.environment import Environment
from tests.operations.conftest import Operated
from tests.provider.conftest import connect

PLATFORM_TOKEN = SEED["platform_tokens"][0]["token"]


@pytest.fixture
def environment(local: Local) -> Environment:
    return connect(local)


def stored(stack: Operated, key: str) -> str:
    return stack.pulumi("config", "get", key).text.strip()


@pytest.mark.parametrize("credential", ["OAuth client", "platform token"])
def test_both_tokens_are_made_for_the_service_user_and_never_shown(
    prepare: Callable[..., Operated], local: Local, credential: str
) -> None:
    no_client = dict.fromkeys(("oauthClientId", "oauthClientSecret", "accountUrn"))
    # SCM's values come later: the tokens do not need them.
    stack = prepare(dynatraceApiToken=None, logIngestToken=None, sectigoClientId=None, sectigoClientSecret=None)
    if credential == "platform token":
        stack.configure(**no_client)
        stack.configure_secret("platformToken", PLATFORM_TOKEN)

    done = stack.operate("api-token", "--days", "30")

    for key, scopes in (
        ("dynatraceApiToken", ["credentialVault.read", "credentialVault.write", "settings.read", "settings.write"]),
        ("logIngestToken", ["logs.ingest"]),
    ):
        token = stored(stack, key)
        assert token.rsplit(".", 1)[1] not in done.text
        found = lookup(local, token).json()
        assert (found["owner"], found["scopes"]) == (SERVICE_USER["id"], scopes)
        assert "expirationDate" in found
        assert (
            f"{key}: created {found['id']} of {SERVICE_USER['id']} with {', '.join(scopes)}; it expires on" in done.text
        )
        assert "secure:" in stack.file.read_text().split(key)[1][:20]

    again = stack.operate("api-token")
    assert again.text.count("is set already (dt0c01.") == 2


def test_a_token_is_replaced_and_the_old_one_deleted_unless_it_is_in_use(
    prepare: Callable[..., Operated], local: Local
) -> None:
    stack = prepare()
    old = stored(stack, "logIngestToken")
    id = old.rsplit(".", 1)[0]

    done = stack.operate("api-token", "--replace", "--only", "logIngestToken", "--days", "0")

    assert "it never expires" in done.text
    assert f'ARGS="--delete {id}"' in done.text
    new = stored(stack, "logIngestToken")
    assert new != old
    assert lookup(local, old).status_code == 200
    refused = stack.operate("api-token", "--delete", new.rsplit(".", 1)[0], check=False)
    assert "is the logIngestToken of stack test; replace it first" in refused.text
    stack.operate("api-token", "--delete", id)
    assert lookup(local, old).status_code == 401


def test_what_is_missing_is_said_in_one_line(prepare: Callable[..., Operated], local: Local) -> None:
    stack = prepare(dynatraceApiToken=None)
    scopes = [scope for scope in CLIENT["scopes"] if scope != "environment-api:api-tokens:write"]
    local.sim("POST", "identities", {"oauthClients": [{**CLIENT, "scopes": scopes}]})

    done = stack.operate("api-token", check=False)

    assert done.code == 2
    assert f"error: OAuth client {CLIENT['id']} lacks environment-api:api-tokens:write." in done.text
    stack.configure(oauthClientId="dt0s02.YOUR_CLIENT")
    done = stack.operate("api-token", check=False)
    assert "oauthClientId: still contains the placeholder YOUR_CLIENT" in done.text


class Unwritable:
    """A stack whose config cannot be written: a full disk, a wrong passphrase."""

    project, name = "sectigo-dynatrace", "test"

    def configure_secret(self, key: str, text: str) -> None:
        raise StackError("cannot write")


def test_a_token_that_cannot_be_stored_is_deleted_again(local: Local, environment: Environment) -> None:
    before = local.sim("GET", "dump")["api_tokens"]

    with pytest.raises(StackError, match="cannot write"):
        api_token.make(Unwritable(), environment, "logIngestToken", None)  # type: ignore[arg-type]

    assert local.sim("GET", "dump")["api_tokens"] == before
    assert len(local.sim("GET", "requests", api="tokens", caller="outside")["requests"]) == 2
