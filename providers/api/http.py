"""One HTTP exchange with time limits and retries; the only place that touches ``requests``.

What is retried, and how long it waits, are pure functions. A POST is repeated only where the answer proves that it
had no effect (429); whoever creates an object looks it up again before the second try.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..rules import LOOPBACK
from . import destination
from .errors import ApiError, Conflict, NotFound, TransportError
from .redaction import Redactor
from .scopes import AUTOMATION_SCOPES, NAME_ACTOR

if TYPE_CHECKING:
    import requests

CONNECT_S, ANSWER_S = 10.0, 30.0
TRIES = 5
FIRST_DELAY_S, FACTOR, LONGEST_DELAY_S = 1.0, 2.0, 60.0
LONGEST_TEXT = 600
STATUS = ":status"
"""The status among an answer's headers, named as in HTTP/2."""
ACTOR_REFUSED = re.compile(r"\bactor\b", re.IGNORECASE)
"""In the text or in the details of a refused workflow. The API's own words are UNVERIFIED."""


def should_retry(method: str, status: int | None, path: str) -> bool:
    """Whether an exchange may be repeated as it is. ``status`` None: no answer arrived."""
    if status == 429:
        return True
    if method == "POST":
        return False
    # The vault answers a PUT with a passing 500 now and then (terraform-provider-dynatrace commit 0b94728).
    passing = {502, 503, 504} | ({500} if method == "PUT" and "/credentials/" in path else set())
    return status is None or status in passing


def retry_after_s(headers: Mapping[str, str], body: Any, now: datetime) -> float | None:
    """What the server asks to wait: ``Retry-After`` (seconds or date), ``retryAfterSeconds`` in the body, or
    ``X-RateLimit-Reset`` (a moment in s, ms or µs: clients read it in all three units). None: it does not say."""
    header = headers.get("Retry-After", "").strip()
    if header:
        try:
            return max(0.0, float(header))
        except ValueError:
            try:
                moment = parsedate_to_datetime(header)
            except ValueError:
                return None
            return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())
    inner = body.get("error") if isinstance(body, dict) else None
    seconds = inner.get("retryAfterSeconds") if isinstance(inner, dict) else None
    if isinstance(seconds, int | float):
        return max(0.0, float(seconds))
    reset = headers.get("X-RateLimit-Reset", "")
    if reset.isdigit():
        value = float(reset)
        value /= 1e6 if value > 1e14 else 1e3 if value > 1e11 else 1
        return max(0.0, value - now.timestamp())
    return None


def delay_s(attempt: int, asked: float | None, jitter: float) -> float:
    """Seconds before try ``attempt + 1``: exponential with jitter (0..1), at least what the server asked, capped."""
    backoff = FIRST_DELAY_S * FACTOR**attempt * (0.5 + jitter / 2)
    return min(LONGEST_DELAY_S, max(backoff, asked or 0.0))


def error_text(body: Any) -> tuple[str, str]:
    """Message and reference of an error body in any of Dynatrace's envelopes (array, error, message, text)."""
    first = body[0] if isinstance(body, list) and body else body
    if isinstance(first, str):
        is_page = first.lstrip()[:1] == "<"
        return ("a web page instead of JSON" if is_page else " ".join(first.split())[:LONGEST_TEXT]), ""
    if not isinstance(first, dict):
        return "", ""
    error = first["error"] if isinstance(first.get("error"), dict) else first
    text = str(error.get("message") or first.get("error_description") or "")
    details = error.get("details")
    for violation in error.get("constraintViolations") or []:
        text += f"; {violation.get('path') or violation.get('location') or 'value'}: {violation.get('message')}"
    if isinstance(details, str):
        text += f" {details}"
    elif isinstance(details, dict):
        missing = [*details.get("missingScopes", []), *details.get("missingPermissions", [])]
        rest = {k: v for k, v in details.items() if k not in ("missingScopes", "missingPermissions", "errorRef")}
        text += f" Missing: {', '.join(map(str, missing))}." if missing else (f" {json.dumps(rest)}" if rest else "")
    inner = details if isinstance(details, dict) else {}
    reference = error.get("errorRef") or inner.get("errorRef") or first.get("issueId") or ""
    return " ".join(text.split())[:LONGEST_TEXT], str(reference)


class Http:
    """Exchanges with one redactor; safe to use from several threads (a session per thread).

    ``before_write`` is called before every try of a writing exchange and may raise. ``address``: where all requests go
    unless the variable of ``destination`` says otherwise; empty: to the host of their URL.
    """

    def __init__(
        self,
        redact: Redactor,
        before_write: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] | None = None,
        to: str = "",
    ) -> None:
        """``to``: ``HOST:PORT`` that all requests go to, whatever their address is."""
        self.redact, self._before_write, self._sleep = redact, before_write, sleep or time.sleep
        self._address = destination.announced() or to
        self.bearer_keys = "oauthClientId and oauthClientSecret"
        """Config keys to check if a platform API refuses the token."""
        self._local = threading.local()

    def _session(self, url: str) -> requests.Session:
        import requests  # a tenth of a second, which previews and no-op updates need not spend

        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.headers["User-Agent"] = "sectigo-dynatrace"
        # A proxy of the machine cannot reach this machine's own loopback.
        session.trust_env = urlsplit(url).hostname not in LOOPBACK
        return session

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str | None, str] | tuple[str, str, str]] | None = None,
        writes: bool | None = None,
        answer_headers: dict[str, str] | None = None,
    ) -> Any:
        """Send and return the decoded JSON answer (None if empty). ``writes`` None: all but GET write.

        ``files``: makes the body multipart, as ``requests`` takes it; ``form`` adds plain fields to it.
        ``answer_headers`` is filled with the answer's headers, their names in lower case, and ``STATUS``.

        Raises:
            NotFound, Conflict, ApiError: the answer is an error.
            TransportError: no answer, after retries where a repetition is harmless.
        """
        path = urlsplit(url).path
        for attempt in range(TRIES):
            if writes if writes is not None else method != "GET":
                self._before_write()
            status, answer, problem, asked = self._exchange(
                method, url, headers, query, body, form, files, answer_headers
            )
            if problem is None and status is not None and status < 400:
                return answer
            if attempt + 1 == TRIES or not should_retry(method, status, path):
                break
            self._sleep(delay_s(attempt, asked, random.random()))
        if status is None:
            host = self._address or urlsplit(url).netloc
            raise TransportError(
                f"{method} {path}: no answer from {host} ({self.redact(str(problem))}). {silence(host)}"
            )
        text, reference = error_text(self.redact.within(answer))
        kind = {404: NotFound, 409: Conflict}.get(status, ApiError)
        raise kind(method, path, status, text, reference, hint(status, path, text, self.bearer_keys))

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        query: Mapping[str, Any] | None,
        body: Any,
        form: Mapping[str, str] | None,
        files: Mapping[str, tuple[str | None, str] | tuple[str, str, str]] | None,
        answer_headers: dict[str, str] | None,
    ) -> tuple[int | None, Any, str | None, float | None]:
        """(status, decoded body, transport problem, what the server asked to wait)"""
        import requests

        address, named = destination.redirected(url, self._address)
        try:
            response = self._session(address).request(
                method,
                address,
                headers={**headers, **named},
                params=query,
                json=body,
                data=form,
                files=files,
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
            )
            # Both vendors answer in UTF-8. Without a charset, requests would guess, and take text for Latin-1.
            text = response.content.decode("utf-8", "replace")
        except requests.RequestException as error:
            return None, None, type(error).__name__, None
        if response.status_code in (301, 302, 303, 307, 308):
            return 400, f"a redirect to {response.headers.get('Location', '?')}", None, None
        try:
            answer = json.loads(text) if text.strip() else None
        except ValueError:
            # The live host answers platform paths with 200 and a page (Monaco): the wrong host was asked. A gateway's
            # 429 or 503 is a page, too.
            asked = retry_after_s(response.headers, None, datetime.now(UTC))
            return max(400, response.status_code), text, None, asked
        if answer_headers is not None:
            answer_headers.update({name.lower(): value for name, value in response.headers.items()})
            answer_headers[STATUS] = str(response.status_code)
        asked = retry_after_s(response.headers, answer, datetime.now(UTC))
        return response.status_code, answer, None, asked


def silence(host: str) -> str:
    """What to do if a host does not answer; ``host`` with or without a port."""
    if urlsplit(f"//{host}").hostname in LOOPBACK:
        return "Nothing listens there: is the local environment running? make up starts it"
    return "Check the address in the stack config, and that a firewall or proxy lets this machine reach it"


def hint(status: int, path: str, text: str, bearer_keys: str = "oauthClientId and oauthClientSecret") -> str:
    """What to do next, for the answers users meet most (facts: dynatrace-api 2.5)."""
    if "failed to resolve tenant" in text:
        return "dynatraceEnvironmentUrl names an environment that does not exist"
    if "a web page" in text or "redirect" in text:
        return "dynatraceEnvironmentUrl (or appsUrl) does not lead to a Dynatrace API; the address looks like https://ID.live.dynatrace.com"
    if status == 401:
        which = bearer_keys if path.startswith("/platform/") else "dynatraceApiToken"
        return (
            f"Check {which}, and that it belongs to the environment of dynatraceEnvironmentUrl. After a rotation, run "
            "refresh and destroy with --run-program: without it they use the old value"
        )
    if status == 403 and NAME_ACTOR.scope in text:
        return f"The OAuth client's user needs {NAME_ACTOR.scope} to name another service user as {NAME_ACTOR.when}"
    if status == 403 and "/credentials" in path and "another user" in text.lower():
        return (
            "The entry belongs to the user who wrote it last; dynatraceApiToken belongs to another one. Deploy with a "
            "token of the entry's owner: docs/troubleshoot.md, “belong to another user”"
        )
    if status in (400, 403, 404) and ACTOR_REFUSED.search(text):
        return "Dynatrace refused workflowActor: it must be the UUID of a service user that exists in this account"
    if status == 403 and path.startswith("/platform/automation/"):
        return f"The OAuth client, and the user it belongs to, need {', '.join(AUTOMATION_SCOPES)}"
    if status == 403:
        return "The token or its user lacks a scope or permission for this call; docs/security.md lists what each needs"
    if status == 429:
        return "Dynatrace limits the rate of calls; try again in a minute"
    return ""
