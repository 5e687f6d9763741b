"""SCM's audit API: read only. What it answers is judged here and recorded by its form alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from providers.api import scm_login
from providers.api.errors import DynatraceError

from .. import moments
from ..scm import CURSOR, IDS, TIMES, audit_record
from .facts import NotChecked, checks, expect
from .probe import Probe, decoded

ASSUMPTIONS = "workflow_src/sync/assumptions.js"
BACK = timedelta(hours=24)
SKEW_S = 60.0
FEW = 2


def page(probe: Probe, **query: str) -> tuple[requests.Response, list[Any]]:
    """One page. Raises NotChecked if SCM cannot be asked from here."""
    try:
        answer = probe.scm(**query)
    except (DynatraceError, requests.RequestException) as error:
        raise NotChecked(f"SCM cannot be asked from this machine: {error}") from None
    records = decoded(answer)
    if answer.status_code != 200 or not isinstance(records, list):
        raise NotChecked(f"SCM answers {answer.status_code}: {answer.text[:200]}")
    return answer, records


def window(probe: Probe) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"from": moments.iso(now - BACK), "to": moments.iso(now)}


def some(probe: Probe) -> tuple[requests.Response, list[Any], dict[str, str]]:
    """The first page of the last day, if it has records to judge."""
    query = window(probe)
    answer, records = page(probe, **query)
    if len(records) < FEW:
        raise NotChecked(f"SCM has {len(records)} records of the last {BACK}")
    return answer, records, query


@checks(
    "scm-sign-on",
    "SCM's audit API key gets its tokens at scmTokenUrl",
    "sectigo 1.2",
    "providers/configuration.py",
    "SCM_TOKEN_URL =",
)
def sign_on(probe: Probe) -> str:
    config = probe.config
    try:
        scm_login.token(
            probe.environment.scm_http, config["scmTokenUrl"], config["sectigoClientId"], config["sectigoClientSecret"]
        )
    except DynatraceError as error:
        raise NotChecked(str(error)) from None
    return ""


@checks(
    "scm-fields",
    "A record has an ID and a time under the names that are assumed",
    "sectigo 2",
    ASSUMPTIONS,
    "fields: {",
)
def names(probe: Probe) -> str:
    _, records, _ = some(probe)
    read = [audit_record(one) for one in records]
    seen = ", ".join(sorted({name for one in records if isinstance(one, dict) for name in one}))
    expect(all(one.id for one in read), f"no ID ({', '.join(IDS)}) among: {seen}")
    expect(all(one.at for one in read), f"no readable time ({', '.join(TIMES)}) among: {seen}")
    return f"names of fields: {seen}"


@checks("scm-order", "Records come oldest first", "sectigo 1.3", "operations/scm.py", "def is_doubtful")
def order(probe: Probe) -> str:
    _, records, _ = some(probe)
    times = [one.at for one in map(audit_record, records) if one.at]
    expect(times == sorted(times), "they do not" + (": newest first" if times == sorted(times, reverse=True) else ""))
    return ""


@checks(
    "scm-cursor",
    "If more records are waiting, a page has the cursor in the header token, and the next page continues there",
    "sectigo 1.3",
    ASSUMPTIONS,
    "cursorHeader:",
)
def cursor(probe: Probe) -> str:
    answer, records, query = some(probe)
    token = answer.headers.get(CURSOR, "")
    if not token:
        raise NotChecked(f"the last {BACK} fit in one page of {len(records)}, which has no cursor")
    _, following = page(probe, token=token, to=query["to"])
    repeated = {audit_record(one).mark for one in records} & {audit_record(one).mark for one in following}
    expect(not repeated, f"{len(repeated)} records come again")
    return f"pages of {len(records)} and {len(following)}"


@checks("scm-from", "The bound `from` is exclusive", "sectigo 1.3", "operations/scm.py", "bounds are included")
def begin(probe: Probe) -> str:
    _, records, query = some(probe)
    first = records[0]
    at = audit_record(first).at
    if at is None:
        raise NotChecked("the first record has no readable time")
    _, again = page(probe, **{**query, "from": moments.iso(at)})
    expect(
        audit_record(first).mark not in {audit_record(one).mark for one in again}, "a record of that very time comes"
    )
    return ""


@checks(
    "scm-date",
    "SCM answers with a Date header, and its clock is within a minute of this machine's",
    "sectigo 1.3",
    "workflow_src/sync/clock.js",
    "Date",
)
def date(probe: Probe) -> str:
    answer, _ = page(probe, **window(probe))
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        told = None
    expect(told is not None, "there is no readable Date")
    assert told is not None
    off = (told - datetime.now(UTC)).total_seconds()
    expect(abs(off) <= SKEW_S, f"it is {off:+.0f} s off")
    return f"{off:+.0f} s"
