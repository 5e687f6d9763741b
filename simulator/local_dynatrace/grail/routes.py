"""HTTP in and out of Grail's query API."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

from ..kernel import rfc3339
from ..kernel.routing import Answer, Call, Route
from . import dql, queries
from .dql import DqlError
from .errors import bad_request, gone, missing_scopes, place, refused_query
from .queries import PATIENCE_MS, TTL_S, Request

BASE = "/platform/storage/query/v1"
BUCKETS = "storage:buckets:read"
"""Every query needs it, beside the permissions of the data objects that it reads."""
MAX_RECORDS = 100_000
DEFAULT_PATIENCE_MS, MAX_PATIENCE_MS = 60_000, 600_000
"""How long an answer is waited for; UNVERIFIED."""


def execute(call: Call) -> Answer | Awaitable[Answer]:
    """200 with the result, or 202 with a request token for a caller who does not wait that long."""
    body = body_of(call)
    request = request_of(body)
    patience = number(body, "requestTimeoutMilliseconds", DEFAULT_PATIENCE_MS, least=0, most=MAX_PATIENCE_MS)
    try:
        needed = queries.prepare(call.world, request).pipeline.permissions
        require_scopes(call, *sorted(needed), BUCKETS)
        if patience <= PATIENCE_MS:
            return running(queries.keep(call.world, call.who.user, request))
        run = queries.launch(call.world, request)
    except DqlError as error:
        raise refused_query(request.query, error) from None
    return result_of(call, request, run, patience)


async def result_of(call: Call, request: Request, run: queries.Run, patience_ms: int) -> Answer:
    found = await queries.within(run, patience_ms)
    if found is None:
        with call.world.store.transaction():
            return running(queries.keep(call.world, call.who.user, request, run))
    return Answer(200, {"state": "SUCCEEDED", "progress": 100, "result": found})


def running(token: str) -> Answer:
    return Answer(202, {"state": "RUNNING", "requestToken": token, "ttlSeconds": TTL_S, "progress": 0})


async def poll(call: Call) -> Answer:
    require_scopes(call, BUCKETS)
    patience = patience_of(call)
    return answered(await queries.poll(call.world, call.who.user, request_token(call), patience), 200)


def cancel(call: Call) -> Answer:
    """202 when the query has been stopped, 200 with the result when it was finished before."""
    require_scopes(call, BUCKETS)
    return answered(queries.cancel(call.world, call.who.user, request_token(call)), 202)


def verify(call: Call) -> Answer:
    """Whether a query could be run; what is wrong is a notification, not an error."""
    body = body_of(call)
    query = query_of(body)
    try:
        canonical = queries.prepare(call.world, Request(query)).canonical
    except DqlError as error:
        notification: dict[str, Any] = {
            "severity": "ERROR",
            "notificationType": error.type,
            "message": error.message,
            "arguments": list(error.arguments),
        }
        if error.position:
            notification["syntaxPosition"] = place(query, error.position)
        return Answer(200, {"valid": False, "notifications": [notification]})
    return Answer(200, {"valid": True, "canonicalQuery": canonical, "notifications": []})


def require_scopes(call: Call, *needed: str) -> None:
    """All are needed, where a route's ``scope`` means any one (facts: dynatrace-api 2.3)."""
    missing = [scope for scope in needed if scope not in call.who.scopes]
    if missing:
        raise missing_scopes(missing, granted=call.who.granted.issuperset(missing))


def request_token(call: Call) -> str:
    token = call.query.get("request-token")
    if not token:
        raise bad_request("Missing query parameter 'request-token'.")
    return token


def patience_of(call: Call) -> int:
    text = call.query.get("request-timeout-milliseconds", str(DEFAULT_PATIENCE_MS))
    if not (text.isascii() and text.isdigit()):
        raise bad_request("'request-timeout-milliseconds' must be a whole number from 0.")
    return min(int(text[:9]), MAX_PATIENCE_MS)


def answered(found: queries.Found | None, without_result: int) -> Answer:
    if found is None:
        raise gone()
    state, result = found
    body: dict[str, Any] = {"state": state, "progress": 100 if state == "SUCCEEDED" else 0, "ttlSeconds": TTL_S}
    if result is None:
        return Answer(without_result, body)
    return Answer(200, {**body, "result": result})


def body_of(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        raise bad_request("The request body is not JSON.") from None
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.")
    return body


def query_of(body: dict[str, Any]) -> str:
    query = body.get("query")
    if not isinstance(query, str) or not query.strip():
        raise bad_request("'query' is required and must be a string.")
    return query


def request_of(body: dict[str, Any]) -> Request:
    return Request(
        query_of(body),
        moment(body, "defaultTimeframeStart"),
        moment(body, "defaultTimeframeEnd"),
        number(body, "maxResultRecords", dql.MAX_RECORDS, least=1, most=MAX_RECORDS),
    )


def moment(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        return rfc3339.parse_ns(value, offset_required=False) // 1000
    except (TypeError, ValueError):
        raise bad_request(f"'{name}' must be an RFC 3339 timestamp.") from None


def number(body: dict[str, Any], name: str, default: int, *, least: int, most: int | None = None) -> int:
    value = body.get(name)
    if value is None:
        return default
    if type(value) is not int or value < least:
        raise bad_request(f"'{name}' must be a whole number from {least}.")
    return value if most is None else min(value, most)


SOURCE = "SQ; words of errors and notifications, TTL UNVERIFIED"
ROUTES = [
    Route(
        "POST", f"{BASE}/query:execute", execute, api="grail", auth="platform", source=SOURCE, fidelity="approximate",
        note=f"Needs {BUCKETS} and the scope of each data object, such as storage:logs:read. Commands, functions and "
        "data objects that are missing are refused by name. "
        "No effect: locale, timezone, sampling, scan and byte limits.",
    ),
    Route("GET", f"{BASE}/query:poll", poll, api="grail", auth="platform", source=SOURCE),
    Route("POST", f"{BASE}/query:cancel", cancel, api="grail", auth="platform", source=SOURCE),
    Route(
        "POST", f"{BASE}/query:verify", verify, api="grail", auth="platform", source=SOURCE, fidelity="approximate",
        note="the canonical form of a query is our own",
    ),
]  # fmt: skip
