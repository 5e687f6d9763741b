"""One Dynatrace environment as a process sees it: addresses, tokens, APIs, the preflight before the first write."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import Any, Literal
from urllib.parse import urlsplit

from ..configuration import Access
from ..rules import LOOPBACK
from . import permissions, preflight
from .allowlist import AllowlistSettings
from .automation import Automation
from .detectors import Detectors
from .errors import ApiError, DynatraceError, LoginFailed, NotFound, PreflightFailed
from .http import Http
from .identities import User
from .redaction import Redactor
from .scopes import AUTOMATION_SCOPES, IDENTITY_SCOPES, QUERY_SCOPES, RESOLVE, RESOLVE_SCOPES
from .vault import Vault

RENEW_BEFORE_S = 60.0


class Environment:
    """Everything the resources share in one process. Thread-safe, as the engine works in parallel. ``sleep`` waits."""

    def __init__(
        self,
        access: Access,
        before_write: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.access = access
        self.sleep = sleep or time.sleep
        self.redact = Redactor(access.secrets)
        self.http = Http(self.redact, before_write, self.sleep)
        parts = urlsplit(access.environment_url)
        self.scm_http = Http(self.redact, before_write, self.sleep, parts.netloc if parts.hostname in LOOPBACK else "")
        """For SCM, which the local environment serves under SCM's own host names."""
        if access.platform_token:
            self.http.bearer_keys = "platformToken (an expired one is refused with 403)"
        # The APIs that several modules use; the others are created where they are used.
        self.vault = Vault(self.classic, self.sleep)
        self.allowlist = AllowlistSettings(self.classic)
        self.automation = Automation(self.platform, self.sleep)
        self.detectors = Detectors(self.platform)
        self._lock = threading.RLock()
        self._bearers: dict[tuple[str, ...], tuple[str, float]] = {}
        self._preflight: Literal["to do", "failed", "passed"] = "to do"

    # calls

    def classic(self, method: str, path: str, **more: Any) -> Any:
        """A call of the live host (``/api/v2/…``), with the API token."""
        headers = {"Authorization": f"Api-Token {self.access.api_token}"}
        return self.http.send(method, self.access.environment_url + path, headers=headers, **more)

    def platform(self, method: str, path: str, *, scopes: tuple[str, ...] = AUTOMATION_SCOPES, **more: Any) -> Any:
        """A call of the apps host (``/platform/…``), with an access token of these scopes or the platform token."""
        for renewed in (False, True):
            headers = {"Authorization": f"Bearer {self.bearer(scopes)}"}
            try:
                return self.http.send(method, self.access.apps_url + path, headers=headers, **more)
            except ApiError as error:
                if self.access.platform_token and error.status == 403 and scopes != AUTOMATION_SCOPES:
                    raise LoginFailed(
                        f"platform token {self.platform_token} lacks {', '.join(scopes)}: {error.text}"
                    ) from None
                if error.status != 401 or renewed or self.access.platform_token:
                    raise
                self._bearers.clear()
        raise AssertionError("unreachable")

    def lookup_token(self, token: str) -> Any:
        """What is known about an API token: scopes, expiry, owner. Any valid token may ask."""
        return self.classic("POST", "/api/v2/apiTokens/lookup", body={"token": token}, writes=False)

    def now(self) -> datetime:
        """The environment's own time, to the second; this machine's if no answer tells."""
        headers: dict[str, str] = {}
        with suppress(DynatraceError):
            body = {"token": self.access.api_token}
            self.classic("POST", "/api/v2/apiTokens/lookup", body=body, writes=False, answer_headers=headers)
        try:
            return parsedate_to_datetime(headers["date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return datetime.now(UTC).replace(microsecond=0)

    def query_logs(self, dql: str, *, most: int = 1000) -> list[dict[str, Any]]:
        """Records of a DQL query. Needs the optional scopes storage:logs:read and storage:buckets:read."""
        path = "/platform/storage/query/v1/query"
        body = {"query": dql, "requestTimeoutMilliseconds": 20_000, "maxResultRecords": most}
        answer = self.platform("POST", f"{path}:execute", scopes=QUERY_SCOPES, body=body, writes=False)
        while answer["state"] in ("NOT_STARTED", "RUNNING"):
            self.sleep(0.5)
            query = {"request-token": answer["requestToken"], "request-timeout-milliseconds": 20_000}
            answer = {**answer, **self.platform("GET", f"{path}:poll", scopes=QUERY_SCOPES, query=query)}
        records: list[dict[str, Any]] = answer["result"]["records"]
        return records

    # OAuth

    def bearer(self, scopes: tuple[str, ...]) -> str:
        """An access token with these scopes; they live five minutes and have no refresh token. A platform token is one
        itself, and has the scopes that it has.

        One ungranted scope fails a whole request, so optional scopes are requested separately from the required ones.
        Raises LoginFailed with what to check.
        """
        if self.access.platform_token:
            return self.access.platform_token
        with self._lock:
            for granted, (token, ends) in self._bearers.items():
                if set(scopes) <= set(granted) and time.monotonic() < ends:
                    return token
            answer = self._login(scopes)
            token = str(answer["access_token"])
            self.redact.add(token)
            self._bearers[scopes] = (token, time.monotonic() + float(answer.get("expires_in", 300)) - RENEW_BEFORE_S)
            return token

    def _login(self, scopes: tuple[str, ...]) -> Any:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.access.oauth_client_id,
            "client_secret": self.access.oauth_client_secret,
            "scope": " ".join(scopes),
            "resource": self.access.account_urn,
        }
        try:
            return self.http.send("POST", self.access.sso_token_url, headers={}, form=form, writes=False)
        except ApiError as error:
            missing = re.search(r"missing following scopes \[([^\]]*)\]", error.text)
            if missing:
                raise LoginFailed(f"OAuth client {self.access.oauth_client_id} lacks {missing.group(1)}") from None
            # SSO answers 400 “Bad Request” to a wrong secret, client and account alike (facts: dynatrace-api 2.2).
            reference = f" (reference {error.reference})" if error.reference else ""
            raise LoginFailed(
                f"OAuth client {self.access.oauth_client_id} got no token: {error.status} {error.text}{reference}"
                ". Check oauthClientSecret, oauthClientId and accountUrn; the client must belong to that account"
            ) from None

    # scopes

    @property
    def platform_token(self) -> str:
        """The platform token's ID (prefix and public part), for messages."""
        return ".".join(self.access.platform_token.split(".")[:2])

    def refused_permissions(self, asked: Iterable[str]) -> list[str]:
        """Those of the permissions that the platform credential's user, or the credential itself, does not have.

        Raises LoginFailed if it may not ask, NotFound where the environment does not tell.
        """
        call = partial(self.platform, scopes=RESOLVE_SCOPES)
        return permissions.refused(call, asked)

    def require_scopes(self, scopes: tuple[str, ...]) -> None:
        """Raises LoginFailed if the OAuth client or the platform token lacks one of them."""
        self.bearer(scopes)
        if not self.access.platform_token:
            return
        try:
            missing = self.refused_permissions(scopes)
        except NotFound:
            return  # an environment that does not tell: the calls themselves will
        except LoginFailed as error:
            raise LoginFailed(
                f"{error}. Without {RESOLVE.scope} the token's other scopes cannot be checked before the first write"
            ) from None
        if missing:
            raise LoginFailed(
                f"platform token {self.platform_token} lacks {', '.join(missing)}: as a scope of the token, or as a "
                "permission of its user"
            )

    # preflight

    @cached_property
    def deploy_token(self) -> dict[str, Any]:
        """The deploy token's own description; its ``owner`` becomes the owner of what it writes."""
        described: dict[str, Any] = self.lookup_token(self.access.api_token)
        return described

    @cached_property
    def client_user(self) -> User | None:
        """The user whom the OAuth client acts as; None if the environment does not say, or the client may not ask."""
        try:
            return User.of(self.platform("GET", "/platform/metadata/v1/user", scopes=IDENTITY_SCOPES))
        except DynatraceError:
            return None

    def ready(self) -> list[str]:
        """Check tokens and scopes once, before the first write; returns warnings the first time.

        Raises PreflightFailed: with the whole report the first time, with one line afterwards.
        """
        with self._lock:
            if self._preflight == "failed":
                raise PreflightFailed("stopped by the preflight; its report is shown with another resource of this run")
            if self._preflight == "passed":
                return []
            self._preflight = "failed"
            warnings = preflight.check(self)
            self._preflight = "passed"
            return warnings
