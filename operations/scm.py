"""The SCM audit API, read from the operator's machine with the stack's own client.

Path, cursor and the names of a record's ID and time are those of ``SCM`` in ``workflow_src/sync.js``; a test compares
them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.api import scm_login
from providers.api.errors import ApiError, DynatraceError, ScmRefused
from providers.api.http import Http
from providers.api.redaction import Redactor
from providers.configuration import Values

from . import moments

PATH = "/api/v1/records"
CURSOR = "token"
LISTS = ("records", "data", "items", "content")
IDS = ("id", "uuid", "guid", "recordId", "eventId")
TIMES = ("timestamp", "time", "eventTime", "created", "createdAt", "date")
RENEW_BEFORE_S = 60.0
SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
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

    def __init__(self, api_url: str, token_url: str, client_id: str, client_secret: str) -> None:
        self.api_url, self.token_url = api_url, token_url
        self._client_id, self._client_secret = client_id, client_secret
        self._redact = Redactor([client_secret])
        self._http = Http(self._redact)
        self._token, self._ends = "", 0.0

    @classmethod
    def of(cls, config: Values) -> Scm:
        """From a stack's checked config values."""
        return cls(config["scmApiUrl"], config["scmTokenUrl"], config["sectigoClientId"], config["sectigoClientSecret"])

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
        cursors: set[str] = set()
        query = {"from": moments.iso(begin)}
        while True:
            headers: dict[str, str] = {}
            records = [
                audit_record(one) for one in self._records(self._get({**query, "to": moments.iso(end)}, headers))
            ]
            if new := reading.new(records):
                yield new
            cursor = headers.get(CURSOR, "")
            if records and cursor:
                if cursor in cursors:
                    raise ScmError(
                        "SCM repeats a page cursor, so the window cannot be read to its end; report this to Sectigo"
                    )
                cursors.add(cursor)
                query = {"token": cursor}
                continue
            since = reading.check_from(len(records), len(new)) if records else None
            if since is None:
                break
            cursors.clear()
            query = {"from": moments.iso(since)}
        if reading.is_doubtful:
            self._check_order(reading)

    def _check_order(self, reading: Reading) -> None:
        """A query by time finds records after the newest one. If pages come newest first, there are more before the
        oldest one."""
        query = {"from": moments.iso(reading.begin), "to": moments.iso(min(reading.end, reading.oldest + SECOND))}
        if reading.new([audit_record(one) for one in self._records(self._get(query, {}))]):
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

    def _records(self, answer: Any) -> list[Any]:
        if isinstance(answer, dict):
            answer = next((answer[name] for name in LISTS if isinstance(answer.get(name), list)), None)
        if not isinstance(answer, list):
            raise ScmError(
                f"the SCM audit API did not return a list of records: {self._redact(json.dumps(answer)[:200])}"
            )
        return answer


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
            if record.at is not None:
                self._ordered = self._ordered and record.at >= self.newest
                self.newest = max(self.newest, min(record.at, self.end))
                self.oldest = min(self.oldest, max(record.at, self.begin))
        return found

    @property
    def is_doubtful(self) -> bool:
        """There was a page without a cursor, and records were out of order."""
        return self._step is not None and not self._ordered

    def check_from(self, size: int, new: int) -> datetime | None:
        """Where to query next after a page of ``size`` without a cursor; None: the window is done. Raises ScmError.

        The same decisions as ``narrowerStep`` of workflow_src/sync.js.
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
