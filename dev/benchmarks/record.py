"""``python -m dev.benchmarks.record``: how many bytes a log record has, with the manual's names alone and with all.

A day of the simulated company, sent by one run of the real script; sizes are of the JSON that log ingest accepted.
Prints the table of docs/cost.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from local_dynatrace.testing import Local
from tests.script.connector import AUDIT, Connector

GIB = 2**30
DYNATRACES = (
    "audit.action", "audit.identity", "audit.result", "audit.status", "audit.time", "event.outcome", "client.ip",
    "user.email",
)  # fmt: skip
"""The names that docs/watch.md lists as Dynatrace's since 0.2.0."""
CHOSEN = {"dt.security_context": "pki-audit", "dt.cost.costcenter": "pki-0042", "dt.cost.product": "certificates"}
"""What `securityContext`, `costCenter` and `costProduct` add, with values of a usual length."""


def day() -> list[dict[str, str]]:
    """The log records of a day, as they were sent."""
    with tempfile.TemporaryDirectory() as folder:
        local = Local(Path(folder), scm_stream=True)
        try:
            assert Connector(local, history="23h").run().outcome == "caught up"
            stored = local.sim("GET", "dump", all="true")["logs"]
        finally:
            local.close()
    return [sent(row) for row in stored if row["source"] == AUDIT]


def sent(row: dict[str, Any]) -> dict[str, str]:
    """A stored record without what log ingest has added to it."""
    attributes = {key: value for key, value in row["attributes"].items() if key != "dt.auth.origin"}
    time = {} if "scm.backfill" in attributes else {"timestamp": attributes["scm.event.timestamp"]}
    return {"content": row["content"], **time, "loglevel": row["loglevel"], **attributes}


def size(record: dict[str, str]) -> int:
    """Bytes of its JSON."""
    return len(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode())


def main() -> int:
    records = day()
    before = mean(size({key: value for key, value in each.items() if key not in DYNATRACES}) for each in records)
    now = mean(size(each) for each in records)
    chosen = mean(size({**each, **CHOSEN}) for each in records)
    print(f"{len(records)} records")
    for name, found in (("before", before), ("with Dynatrace's names", now), ("with the three keys, too", chosen)):
        growth = f"{found / before - 1:+.0%}" if found != before else ""
        print(f"| {name} | {found:.0f} | {growth} | {found * 1e6 / GIB:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
