"""HTTP in and out of Sectigo's token endpoint and of the audit API."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, unquote_plus

from local_dynatrace.kernel import rfc3339
from local_dynatrace.kernel.routing import Answer, Call, Route

from .. import options
from . import clients, cursor, records, stream
from .cursor import Cursor
from .errors import bad_request, oauth_error, unauthorized

INVALID_CLIENT = "Invalid client or Invalid client credentials"


def token(call: Call) -> Answer:
    """Client credentials, in the form or as Basic header; Keycloak's answer."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise oauth_error(415, "invalid_request", "Content-Type application/x-www-form-urlencoded expected")
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    if not form.get("grant_type"):
        raise oauth_error(400, "invalid_request", "Missing form parameter: grant_type")
    if form["grant_type"] != "client_credentials":
        raise oauth_error(400, "unsupported_grant_type", "Unsupported grant_type")
    for client, secret in presented(call, form):
        if clients.knows(call.world, client, secret):
            access_token, lifetime_s = clients.issue_token(call.world, client)
            body = {
                "access_token": access_token,
                "expires_in": lifetime_s,
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": "",
            }
            return Answer(200, body, {"Cache-Control": "no-store", "Date": date(call)})
    raise oauth_error(401, "invalid_client", INVALID_CLIENT)


def presented(call: Call, form: dict[str, str]) -> list[tuple[str, str]]:
    """The client ids and secrets a request may mean: RFC 6749 form-encodes the parts of Basic, many clients do not."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return []
        return [(client, secret), (unquote_plus(client), unquote_plus(secret))]
    return [(form["client_id"], form["client_secret"])] if {"client_id", "client_secret"} <= form.keys() else []


def list_records(call: Call) -> Answer:
    """One page of audit records (facts: sectigo 1.3)."""
    scheme, _, access_token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or clients.client_of(call.world, access_token.strip()) is None:
        raise unauthorized()
    after, to_us = window(call)
    stream.materialise(call.world)
    page = records.page(call.world, after, to_us)
    headers = {
        "Content-Type": "application/json",
        "Date": date(call),
    }
    if page.next:
        headers["token"] = str(page.next)
    return Answer(200, page.body, headers)


def date(call: Call) -> str:
    """Clients compare it with their own clock."""
    now = call.world.clock.now() + timedelta(seconds=options.of(call.world).scm_skew_s)
    return format_datetime(now.replace(microsecond=0), usegmt=True)


def window(call: Call) -> tuple[Cursor, int]:
    """Where the page starts and where the range ends. ``to`` is always required; ``token`` stands in for ``from``."""
    to_ns = time_of(call, "to")
    if "token" in call.query:
        try:
            after = cursor.parse(call.query["token"])
        except ValueError:
            raise bad_request("Invalid token") from None
        if not records.holds(call.world, after):
            raise bad_request("Token has expired")
        return after, to_ns // 1000
    from_ns = time_of(call, "from")
    if from_ns > to_ns:
        raise bad_request("Parameter 'from' must not be later than 'to'")
    if options.of(call.world).scm_from == "exclusive":
        return Cursor(from_ns // 1000, 2**62), to_ns // 1000
    return Cursor(-(-from_ns // 1000), 0), to_ns // 1000


def time_of(call: Call, name: str) -> int:
    text = call.query.get(name, "")
    if not text:
        raise bad_request(f"Required parameter '{name}' is missing")
    try:
        return rfc3339.parse_ns(text)
    except ValueError as error:
        hint = " (encode '+' as %2B)" if " " in text else ""
        raise bad_request(f"Parameter '{name}' {error}{hint}") from None


ROUTES = [
    Route(
        "POST",
        "/auth/realms/apiclients/protocol/openid-connect/token",
        token,
        api="scm-sso",
        auth="own",
        source="sectigo 1.2 (OAS); error texts [D]",
        fidelity="approximate",
        note="Access tokens are opaque, Keycloak's are JWTs; both are opaque to a client.",
    ),
    Route(
        "GET",
        "/api/v1/records",
        list_records,
        api="scm",
        auth="own",
        source="sectigo 1.3 (AUD, REC); record fields, order, inclusive `to`, error codes [D]",
        fidelity="approximate",
        note="Field names of a record are not public; the cursor's inner form is our own.",
    ),
]
