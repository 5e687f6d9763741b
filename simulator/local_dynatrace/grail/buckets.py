"""Bucket definitions, to read: the one bucket of logs that the local environment has (facts: dynatrace-api 11)."""

from __future__ import annotations

from typing import Any

from ..kernel.routing import Answer, Call, Route, platform_error
from ..kernel.world import World
from .dql.sources import BUCKET

PATH = "/platform/storage/management/v1/bucket-definitions"


def definition(world: World) -> dict[str, Any]:
    return {
        "bucketName": BUCKET,
        "table": "logs",
        "displayName": "Logs (default)",
        "status": "active",
        "retentionDays": world.options.logs_retention_days,
        "version": 1,
        "updatable": False,
    }


def list_buckets(call: Call) -> Answer:
    return Answer(200, {"buckets": [definition(call.world)]})


def get_bucket(call: Call) -> Answer:
    if call.params["name"] != BUCKET:
        raise platform_error(404, f"There is no bucket {call.params['name']}.", {})  # text UNVERIFIED
    return Answer(200, definition(call.world))


def route(path: str, handler: Any) -> Route:
    return Route(
        "GET", path, handler, api="grail", auth="platform", scope="storage:bucket-definitions:read",
        source="TF, MO", fidelity="approximate", note="one bucket, which cannot be changed; nothing is ever deleted",
    )  # fmt: skip


ROUTES = [route(PATH, list_buckets), route(f"{PATH}/{{name}}", get_bucket)]
