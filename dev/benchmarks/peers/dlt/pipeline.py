"""The same pages and the same sink with dlt, set up as its pages on performance advise.

Whole pages are yielded, not single rows; typed JSON Lines, the quicker of the two formats a sink of one's own can take;
no columns and tables of dlt's own; several load jobs at once. ``python pipeline.py BASE FROM TO``
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import dlt
import requests
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import HeaderCursorPaginator

BASE, FROM, TO = sys.argv[1:4]
session = requests.Session()
session.trust_env = False


def log_record(record: dict[str, Any]) -> dict[str, Any]:
    warns = "revoke" in record["action"] or "delete" in record["action"]
    level = "ERROR" if record["status"] != "SUCCESS" else "WARN" if warns else "INFO"
    return {
        "content": f"[{record['service']}] {record['action']}: {record['details']}",
        "timestamp": str(record["timestamp"]),
        "loglevel": level,
        "log.source": "sectigo-scm",
        "event.id": record["id"],
        "event.service": record["service"],
        "event.action": record["action"],
        "event.category": record["category"],
        "object.type": record["objectType"],
        "object.id": record["objectId"],
        "object.name": record["objectName"],
        "customer.id": str(record["customerId"]),
        "scm.event.type": record["type"],
        "scm.event.timestamp": str(record["timestamp"]),
        "scm.status": record["status"],
        "scm.actor": record["actor"],
        "scm.ip": record["ip"],
    }


class Pages(HeaderCursorPaginator):
    """`to` goes with every call, and the cursor takes the place of `from`."""

    def update_request(self, request: requests.Request) -> None:
        super().update_request(request)
        request.params.pop("from", None)


@dlt.resource(name="audit", write_disposition="append")
def audit() -> Iterator[list[dict[str, Any]]]:
    client = RESTClient(BASE, auth=BearerTokenAuth("access"), paginator=Pages("token", "token"), session=session)
    yield from client.paginate("/api/v1/records", params={"from": FROM, "to": TO})


@dlt.destination(
    batch_size=5000,
    loader_file_format="typed-jsonl",
    skip_dlt_columns_and_tables=True,
    loader_parallelism_strategy="parallel",
)
def ingest(items: list[dict[str, Any]], table: Any) -> None:
    answer = session.post(f"{BASE}/api/v2/logs/ingest", json=[log_record(item) for item in items], timeout=20)
    answer.raise_for_status()


with tempfile.TemporaryDirectory() as folder:
    dlt.pipeline("sync_benchmark", destination=ingest, pipelines_dir=folder).run(audit())
