"""A token of Sectigo's sign-on: the proof that it knows an SCM client (facts: sectigo 1.2)."""

from __future__ import annotations

from typing import Any

from .errors import ApiError, ScmRefused, TransportError
from .http import Http


def token(http: Http, url: str, client_id: str, client_secret: str) -> dict[str, Any]:
    """The token endpoint's answer, with an ``access_token``.

    Raises ScmRefused with the keys to check, TransportError if the endpoint does not answer or is out of order.
    """
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    try:
        answer = http.send("POST", url, headers={}, form=form, writes=False)
    except ApiError as error:
        if error.status >= 500 or error.status == 429:
            raise TransportError(f"SCM's token endpoint {url} answered {error.status}: {error.text}") from None
        raise ScmRefused(
            f"SCM rejected the OAuth client ({error.status}: {error.text}); check sectigoClientId and "
            "sectigoClientSecret"
        ) from None
    if not isinstance(answer, dict) or not answer.get("access_token"):
        raise ScmRefused(f"SCM's token endpoint {url} returned no access_token; check scmTokenUrl")
    return answer
