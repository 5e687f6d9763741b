"""Tokens, sign-on and permissions."""

from __future__ import annotations

from providers.api.errors import DynatraceError, NotFound
from providers.api.scopes import AUTOMATION_SCOPES

from .facts import NotChecked, checks, expect
from .probe import CREDENTIALS, Probe, decoded

ENVIRONMENT = "providers/api/environment.py"


@checks(
    "token-owner",
    "An API token's owner and the owner of what it writes to the vault are named by the same ID",
    "dynatrace-api 2.4",
    ENVIRONMENT,
    "def deploy_token",
)
def token_owner(probe: Probe) -> str:
    owner = probe.environment.deploy_token.get("owner")
    with probe.entry() as id:
        found = probe.classic("GET", f"{CREDENTIALS}/{id}").json().get("owner")
    expect(bool(owner) and owner == found, f"the token belongs to {owner}, the entry that it wrote to {found}")
    return ""


@checks(
    "sso-scope",
    "A scope that the OAuth client does not have fails the whole token request, and the answer names it",
    "dynatrace-api 2.2",
    ENVIRONMENT,
    "missing following scopes",
)
def sso_scope(probe: Probe) -> str:
    scope = "sectigo:dynatrace:verify"
    answer = probe.sso(scope=f"{AUTOMATION_SCOPES[0]} {scope}")
    named = "missing following scopes [" in answer.text and scope in answer.text
    expect(answer.status_code == 400 and named, f"{answer.status_code} {answer.text[:200]}")
    return ""


@checks(
    "sso-secret",
    "A wrong secret of the OAuth client gets 400 without a reason",
    "dynatrace-api 2.2",
    ENVIRONMENT,
    "SSO answers 400",
)
def sso_secret(probe: Probe) -> str:
    wrong = f"{probe.environment.access.oauth_client_id}.{'A' * 64}"
    answer = probe.sso(client_secret=wrong, scope=AUTOMATION_SCOPES[0])
    expect(answer.status_code == 400, f"{answer.status_code} {answer.text[:200]}")
    return ""


@checks(
    "bad-token",
    "An unknown API token gets 401 “Token Authentication failed”",
    "dynatrace-api 2.5",
    "simulator/local_dynatrace/kernel/routing.py",
    '"Token Authentication failed"',
)
def bad_token(probe: Probe) -> str:
    answer = probe.classic("GET", CREDENTIALS, token=f"dt0c01.{'A' * 24}.{'A' * 64}")
    expect(answer.status_code == 401, f"the status is {answer.status_code}")
    text = str((decoded(answer) or {}).get("error", {}).get("message"))
    expect(text == "Token Authentication failed", f"the text is “{text}”")
    return ""


@checks(
    "resolve",
    "effective-permissions:resolve tells a token which of its permissions it has",
    "dynatrace-api 12",
    "providers/api/permissions.py",
    "granted = {",
)
def resolve(probe: Probe) -> str:
    asked = [*AUTOMATION_SCOPES, "sectigo:dynatrace:verify"]
    try:
        refused = probe.environment.refused_permissions(asked)
    except NotFound as error:
        expect(False, f"the endpoint does not exist: {error}")
        raise
    except DynatraceError as error:
        raise NotChecked(str(error)) from None
    expect(refused == asked[-1:], f"refused are {', '.join(refused) or 'none'}")
    return ""


@checks(
    "vault-by-bearer",
    "The vault behind the platform accepts this stack's OAuth client or platform token",
    "dynatrace-api 12",
    "docs/tokens.md",
    "| vault entries |",
)
def vault_by_bearer(probe: Probe) -> str:
    scopes = ("environment-api:credentials:read",)
    path = "/platform/classic/environment-api/v2/credentials"
    answer = probe.platform("GET", path, scopes=scopes, params={"pageSize": 100})
    if answer.status_code == 403:
        raise NotChecked(f"the credential lacks {scopes[0]}: {answer.text[:200]}")
    expect(answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}")
    return ""
