"""The SCM audit API, read from the operator's machine with the stack's own client.

Path, cursor, signs of an error and the names of a record's ID and time are those of ``SCM`` in
``workflow_src/sync.js``; a test compares them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from providers.api import scm_login
from providers.api.errors import ApiError, DynatraceError, ScmRefused
from providers.api.http import STATUS, Http
from providers.api.redaction import Redactor
from providers.configuration import Values
from providers.rules import LOOPBACK

from . import moments

PATH = "/api/v1/records"
CURSOR = "token"
LISTS = ("records", "data", "items", "content")
ERRORS = ("description", "message", "error_description", "error", "detail", "title")
OUTCOMES = r"^(status|status_?code|code|result|state|outcome|success|succeeded|ok)$"
TROUBLE = r"error|exception|^fault|fail|warning|partial|incomplete|degraded|timed?_?out|truncated"
FINE = r"^(|0|2\d\d|ok|okay|true|success(ful)?|succeeded|completed?|done|none)$"
IDS = ("id", "uuid", "guid", "recordId", "eventId")
TIMES = ("timestamp", "time", "eventTime", "created", "createdAt", "date")
RENEW_BEFORE_S = 60.0
SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
IDLE_PAGES = 3
"""After so many pages in a row without a new record, cursors lead nowhere."""
FEW = 10
"""A page with fewer records is not a full page."""


class ScmError(DynatraceError):
    """SCM refused, or its answer cannot be read."""


@dataclass(frozen=True)
class AuditRecord:
    """``id`` empty: the record has no ID. ``at`` None: its time cannot be parsed."""

    id: str
    at: datetime | None
    mark: int = 0
    """Hash of the whole record, to recognise it when it is read again."""


class Scm:
    """Audit records of one SCM instance."""

    def __init__(self, api_url: str, token_url: str, client_id: str, client_secret: str, address: str = "") -> None:
        self.api_url, self.token_url = api_url, token_url
        self._client_id, self._client_secret = client_id, client_secret
        self._redact = Redactor([client_secret])
        self._http = Http(self._redact, to=address)
        self._token, self._ends = "", 0.0

    @classmethod
    def of(cls, config: Values) -> Scm:
        """From a stack's checked config values. The local environment serves SCM as well, whatever SCM's host."""
        environment = urlsplit(config["dynatraceEnvironmentUrl"])
        return cls(
            config["scmApiUrl"], config["scmTokenUrl"], config["sectigoClientId"], config["sectigoClientSecret"],
            address=environment.netloc if environment.hostname in LOOPBACK else "",
        )  # fmt: skip

    def login(self) -> str:
        """An access token. Raises ScmError with the keys to check."""
        if time.monotonic() < self._ends:
            return self._token
        try:
            answer = scm_login.token(self._http, self.token_url, self._client_id, self._client_secret)
        except ScmRefused as error:
            raise ScmError(str(error)) from None
        self._token = str(answer["access_token"])
        self._redact.add(self._token)
        self._ends = time.monotonic() + float(answer.get("expires_in") or 300) - RENEW_BEFORE_S
        return self._token

    def pages(self, begin: datetime, end: datetime) -> Iterator[list[AuditRecord]]:
        """Pages of the records from ``begin`` to ``end``, each record once.

        Sectigo does not document whether the bounds are included.

        The documented end is an empty page. A page without a cursor is probably the last, but a proxy may have removed
        the header: as in the sync script, a query by time decides. Raises ScmError if it cannot decide.
        """
        reading = Reading(begin, end)
        query = {"from": moments.iso(begin)}
        idle, is_check = 0, False
        while True:
            headers: dict[str, str] = {}
            records = [
                audit_record(one)
                for one in self._records(self._get({**query, "to": moments.iso(end)}, headers), headers)
            ]
            if is_check and not reading.knows(records):
                raise ScmError(
                    "SCM filters by other times than its records show, and sends no page cursor (header "
                    f"{CURSOR}), so they cannot be read to the end; check whether a proxy removes the header"
                )
            is_check = False
            new = reading.new(records)
            if new:
                yield new
            cursor = headers.get(CURSOR, "")
            if records and cursor:
                # The same cursor again may name a session: only pages without news lead nowhere.
                idle = 0 if new else idle + 1
                if idle == IDLE_PAGES:
                    raise ScmError(
                        "SCM repeats its pages, so the window cannot be read to its end; report this to Sectigo"
                    )
                query = {"token": cursor}
                continue
            since = reading.check_from(len(records), len(new)) if records else None
            if since is None:
                break
            idle, is_check = 0, since > begin
            query = {"from": moments.iso(since)}
        if reading.is_doubtful:
            self._check_order(reading)

    def _check_order(self, reading: Reading) -> None:
        """A query by time finds records after the newest one. If pages come newest first, there are more before the
        oldest one."""
        query = {"from": moments.iso(reading.begin), "to": moments.iso(min(reading.end, reading.oldest + SECOND))}
        headers: dict[str, str] = {}
        if reading.new([audit_record(one) for one in self._records(self._get(query, headers), headers)]):
            raise ScmError(
                f"SCM sends no page cursor (header {CURSOR}), and its pages are not sorted oldest first, so they "
                "cannot be read to the end; check whether a proxy removes the header"
            )

    def _get(self, query: dict[str, str], headers: dict[str, str]) -> Any:
        for renewed in (False, True):
            sent = {"Authorization": f"Bearer {self.login()}", "Accept": "application/json"}
            try:
                return self._http.send("GET", self.api_url + PATH, headers=sent, query=query, answer_headers=headers)
            except ApiError as error:
                if error.status == 401 and not renewed:
                    self._ends = 0.0
                    continue
                hint = "; is audit API access enabled for this key?" if error.status in (401, 403) else ""
                raise ScmError(f"the SCM audit API answered {error.status}: {error.text}{hint}") from None
        raise AssertionError("unreachable")

    def _records(self, answer: Any, headers: dict[str, str]) -> list[Any]:
        """Only what is known to be a page is a page. Raises ScmError for anything else."""
        if answer is None and headers.get(STATUS) == "204":
            return []
        records = answer
        if isinstance(answer, dict):
            lists = [answer[name] for name in LISTS if isinstance(answer.get(name), list)]
            is_page = len(lists) == 1 and not any(is_sign_of_error(*field) for field in answer.items())
            records = lists[0] if is_page else None
        if not isinstance(records, list):
            shown = "an empty body" if answer is None else self._redact(json.dumps(answer)[:200])
            raise ScmError(f"the SCM audit API did not return a list of records: {shown}")
        return records


def is_sign_of_error(name: str, value: Any) -> bool:
    """Whether a field around the records says that something is wrong, as in ``isSignOfError`` of the script."""
    if name in LISTS and isinstance(value, list):
        return False
    is_trouble = name in ERRORS or re.search(TROUBLE, name, re.IGNORECASE) is not None
    if isinstance(value, dict):
        return bool(value) if is_trouble else any(is_sign_of_error(*field) for field in value.items())
    text = "" if value in (None, []) else str(value).strip().lower()
    is_fine = re.search(FINE, text) is not None
    if re.search(OUTCOMES, name, re.IGNORECASE):
        return not is_fine
    return is_trouble and text != "false" and (text == "true" or not is_fine)


class Reading:
    """What the pages of one window contained so far, and where to query by time after a page without a cursor."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin, self.end = begin, end
        self.newest, self.oldest = begin, end
        self._ordered = True
        self._seen: set[int] = set()
        # How far before the newest record the last query by time began (None: there was none), and the size of the
        # page before it.
        self._step: timedelta | None = None
        self._size = 0

    def new(self, records: list[AuditRecord]) -> list[AuditRecord]:
        """The records that were not read before."""
        found = []
        for record in records:
            if record.mark in self._seen:
                continue
            self._seen.add(record.mark)
            found.append(record)
            # A time outside the window is no measure of order or of how far a page came.
            if record.at is not None and self.begin <= record.at <= self.end:
                self._ordered = self._ordered and record.at >= self.newest
                self.newest = max(self.newest, record.at)
                self.oldest = min(self.oldest, record.at)
        return found

    def knows(self, records: list[AuditRecord]) -> bool:
        """Whether one of them was read before."""
        return any(record.mark in self._seen for record in records)

    @property
    def is_doubtful(self) -> bool:
        """There was a page without a cursor, and records were out of order."""
        return self._step is not None and not self._ordered

    def check_from(self, size: int, new: int) -> datetime | None:
        """Where to query next after a page of ``size`` without a cursor; None: the window is done. Raises ScmError.

        The same decisions as ``confirming`` in workflow_src/sync/paging.js.
        """
        if new or self._step is None:
            self._step, self._size = SECOND, size
        elif size < self._size:
            return None
        elif self._step > MICROSECOND:
            self._step = MICROSECOND
        elif self._size < FEW:
            return None
        else:
            raise ScmError(
                f"SCM sends no page cursor (header {CURSOR}), and more records share one time than fit in a page of "
                f"{self._size}, so they cannot be read by time alone; check whether a proxy removes the header"
            )
        return max(self.begin, self.newest - self._step)


def audit_record(record: Any) -> AuditRecord:
    fields = record if isinstance(record, dict) else {}
    id = next((str(fields[name]) for name in IDS if scalar(fields.get(name))), "")
    at = next((fields[name] for name in TIMES if scalar(fields.get(name))), None)
    return AuditRecord(id, moment(at), hash(json.dumps(record)))


def scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | list)


def moment(value: Any) -> datetime | None:
    """A record's time: text, or a number of seconds, milliseconds or microseconds since the epoch."""
    if not str(value).isdigit():
        return moments.parse(value)
    number = float(value)
    seconds = number / 1e6 if number >= 1e14 else number / 1e3 if number >= 1e11 else number
    return datetime.fromtimestamp(seconds, UTC) if 1e8 <= seconds < 1e11 else None
