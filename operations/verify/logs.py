"""Log ingest. Records cannot be deleted again, so these checks are made only on request."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

from .facts import NotChecked, checks, expect
from .probe import Probe

PATH = "/api/v2/logs/ingest"
JSON = {"Content-Type": "application/json; charset=utf-8"}
NOT_ASKED = "log records cannot be deleted again; add ARGS=--with-logs"


def allowed(probe: Probe) -> None:
    if not probe.with_logs:
        raise NotChecked(NOT_ASKED)


def record(probe: Probe) -> dict[str, str]:
    return {"content": probe.name, "log.source": "sectigo-dynatrace-verify", "loglevel": "INFO"}


@checks(
    "ingest-old",
    "A batch with a record older than 24 h is accepted in part (200), and the record is dropped",
    "dynatrace-api 7",
    "simulator/local_dynatrace/kernel/options.py",
    "old_records:",
)
def old(probe: Probe) -> str:
    allowed(probe)
    long_ago = (datetime.now(UTC) - timedelta(hours=30)).isoformat()
    token = probe.environment.access.log_ingest_token
    answer = probe.classic("POST", PATH, token=token, json=[record(probe), {**record(probe), "timestamp": long_ago}])
    expect(answer.status_code == 200, f"it answers {answer.status_code} {answer.text[:200]}")
    return ""


@checks(
    "ingest-gzip",
    "Log ingest accepts a gzip body",
    "dynatrace-api 7",
    "simulator/local_dynatrace/logs/payload.py",
    "Gzip is accepted",
)
def zipped(probe: Probe) -> str:
    allowed(probe)
    body = gzip.compress(json.dumps([record(probe)]).encode())
    token = probe.environment.access.log_ingest_token
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = probe.classic("POST", PATH, token=token, data=body, headers=headers)
    expect(answer.status_code in (200, 204), f"it answers {answer.status_code} {answer.text[:200]}")
    return ""
