"""``POST /sso/oauth2/token``: the form, read; the answer, written."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qsl, unquote_plus

from ..kernel.routing import Answer, Call, Route
from .errors import bad_request
from .tokens import TokenRequest, issue


def token(call: Call) -> Answer:
    media_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise bad_request(call.world)
    try:
        form = dict(parse_qsl(call.body.decode("ascii"), keep_blank_values=True))
        header = basic(call.headers.get("authorization", ""))
    except ValueError:
        raise bad_request(call.world) from None
    client_id, secret = header or (form.get("client_id", ""), form.get("client_secret", ""))
    request = TokenRequest(
        client_id=client_id,
        client_secret=secret,
        in_header=header is not None,
        grant_type=form.get("grant_type", ""),
        scope=form.get("scope", ""),
        resource=form.get("resource", ""),
    )
    return Answer(200, issue(call.world, request), {"cache-control": "no-store", "pragma": "no-cache"})


def basic(authorization: str) -> tuple[str, str] | None:
    """Client id and secret of a Basic header, form-encoded in it (RFC 6749, 2.3.1). Raises ValueError if it is none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except binascii.Error as error:
        raise ValueError("not base64") from error
    return (unquote_plus(client_id), unquote_plus(secret)) if colon else None


ROUTES = [Route("POST", "/sso/oauth2/token", token, "sso", "own", source="OA, TF#518, MCP#18")]
