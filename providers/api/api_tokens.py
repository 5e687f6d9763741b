"""Creating and deleting API tokens with a platform credential (facts: dynatrace-api 2.6).

A token belongs to the user who creates it. A service user cannot sign in to the page “Access tokens”, so its tokens are
created with its own OAuth client or platform token.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from .errors import NotFound
from .scopes import TOKEN_SCOPES

PATH = "/platform/classic/environment-api/v2/apiTokens"
LONGEST_NAME = 100


class ApiTokens:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def create(self, name: str, scopes: tuple[str, ...], expires: datetime | None) -> str:
        """Create a token and return it; nobody can read it again. Raises LoginFailed, ApiError."""
        body: dict[str, Any] = {"name": name[:LONGEST_NAME], "scopes": list(scopes)}
        if expires is not None:
            body["expirationDate"] = expires.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return str(self._call("POST", PATH, scopes=TOKEN_SCOPES, body=body)["token"])

    def delete(self, id: str) -> None:
        """Delete a token by its ID (prefix and public part); one that is gone already is a success."""
        with suppress(NotFound):
            self._call("DELETE", f"{PATH}/{id}", scopes=TOKEN_SCOPES)
