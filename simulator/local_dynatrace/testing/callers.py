"""Identities for tests of the local environment's APIs: headers that authenticate as somebody with given rights."""

from __future__ import annotations

import hashlib
from typing import Any

from local_dynatrace import seed
from local_dynatrace.testing import Local

SEED: dict[str, Any] = seed.load()
"""What a fresh environment holds, sections of installed plug-ins included."""
ACCOUNT: str = SEED["account"]
SERVICE_USER: dict[str, Any] = SEED["users"][0]
PERSON: dict[str, Any] = SEED["users"][1]
DEPLOY_TOKEN: str = SEED["api_tokens"][0]["token"]
CLIENT: dict[str, Any] = SEED["oauth_clients"][0]

Headers = dict[str, str]


def with_token(token: str) -> Headers:
    return {"Authorization": f"Api-Token {token}"}


DEPLOY = with_token(DEPLOY_TOKEN)
"""The seed's deploy token, owned by the service user."""


def add_user(local: Local, email: str, *permissions: str) -> str:
    """A new user with these IAM permissions; returns its id."""
    user_id = hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()
    user = {"id": user_id, "email": email, "name": email, "kind": "person", "permissions": list(permissions)}
    local.sim("POST", "identities", {"users": [user]})
    return user_id


def new_token(local: Local, *scopes: str, owner: str = SERVICE_USER["email"], **more: Any) -> str:
    """A new API token's text; the same scopes and owner give the same text."""
    public = hashlib.sha256(f"{scopes}{owner}".encode()).hexdigest()[:24].upper()
    token = f"dt0c01.{public}.{'S' * 64}"
    local.sim("POST", "identities", {"apiTokens": [{"token": token, "owner": owner, "scopes": list(scopes), **more}]})
    return token


def api_token(local: Local, *scopes: str, owner: str = SERVICE_USER["email"]) -> Headers:
    return with_token(new_token(local, *scopes, owner=owner))


def bearer(local: Local, *scopes: str, user: str = SERVICE_USER["email"]) -> Headers:
    """Headers with a fresh bearer of an OAuth client that has exactly these scopes and acts for the user."""
    public = hashlib.sha256(f"{scopes}{user}".encode()).hexdigest()[:8].upper()
    client = {
        "id": f"dt0s02.{public}",
        "secret": f"dt0s02.{public}.{'S' * 64}",
        "subject": user,
        "scopes": list(scopes),
    }
    local.sim("POST", "identities", {"oauthClients": [client]})
    form = {"grant_type": "client_credentials", "client_id": client["id"], "client_secret": client["secret"]}
    answer = local.call("POST", "/sso/oauth2/token", data=form)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def lookup(local: Local, token: str = DEPLOY_TOKEN) -> Any:
    """The answer to a token's question about itself: the simplest authenticated call there is."""
    return local.call("POST", "/api/v2/apiTokens/lookup", json={"token": token}, headers=with_token(token))
