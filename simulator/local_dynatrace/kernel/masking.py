"""Removes secrets from an address before it is logged; the public part of a Dynatrace token is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

SHOWN = "[secret]"
DYNATRACE_TOKEN = re.compile(r"\b(dt0[a-z]\d\d\.[\w-]+)\.[\w-]+", re.ASCII | re.IGNORECASE)
"""``prefix.PUBLIC.SECRET``; prefix and public part are safe to log (facts: dynatrace-api 2.1)."""
BEARER_TOKEN = re.compile(r"\b(?:eyJ[\w-]+\.[\w-]+\.[\w-]*|dtlocal\.\w+)", re.ASCII)
"""A JSON web token, or what the SSO here issues."""
ALWAYS_SECRET = (
    "api-token", "access-token", "refresh-token", "client-secret", "secret", "password", "authorization",
)  # fmt: skip
"""Query parameters, whatever their value is; an underscore in a name counts as a hyphen."""
OPAQUE = re.compile(r"[\w.~+/=-]{20,}", re.ASCII)
"""What a parameter called ``token`` has to look like to be one: a page cursor of that name has a colon."""


SECRET_NAME = re.compile(
    r"token|password|passphrase|secret|authorization|api-?_?key|private-?_?key|^user$|^username$", re.I
)
"""Members of JSON and form fields whose values are not shown; a user's name is half of a credential."""
NOT_SECRET = re.compile(r"^(request|page|next-?page|update)-?_?(token|key)$|^token-?_?type$|^(user|service).?id$", re.I)
DEEPEST = 6
"""JSON within text within JSON …: what is deeper is not shown."""


def masked_body(text: str, content_type: str, secrets: Iterable[str] = ()) -> str:
    """A body without secrets: members by name, tokens by their form, and ``secrets`` wherever they are. JSON comes
    back indented. JSON that cannot be read is not shown, as nobody knows what is in it."""
    if "urlencoded" in content_type:
        text = "&".join(_masked_parameter(part) for part in text.split("&"))
    elif text[:1] in "{[" or "json" in content_type:
        try:
            text = json.dumps(_masked_value(json.loads(text), 0), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return "[not shown: not valid JSON]"
    for secret in secrets:
        text = text.replace(secret, SHOWN)
    return masked(text)


def _masked_value(value: Any, depth: int) -> Any:
    if depth > DEEPEST * 10:
        return SHOWN
    match value:
        case dict():
            return {
                name: SHOWN if is_secret(name) and isinstance(each, str) and each else _masked_value(each, depth + 1)
                for name, each in value.items()
            }
        case list():
            return [_masked_value(each, depth + 1) for each in value]
        case str() if value.lstrip()[:1] in ("{", "["):
            try:
                inner = json.loads(value)
            except (ValueError, RecursionError):
                return value
            hidden = _masked_value(inner, depth + 10)
            return value if hidden == inner else json.dumps(hidden, ensure_ascii=False)
    return value


def is_secret(name: str) -> bool:
    return bool(SECRET_NAME.search(name)) and not NOT_SECRET.search(name)


def masked(text: str) -> str:
    """A text without the tokens in it."""
    return BEARER_TOKEN.sub(SHOWN, DYNATRACE_TOKEN.sub(rf"\1.{SHOWN}", text))


def masked_query(raw: str) -> str:
    """A query string with the values of secret parameters replaced."""
    return "&".join(map(_masked_parameter, raw.split("&")))


def _masked_parameter(raw: str) -> str:
    plain = unquote_plus(raw)
    shown = masked(plain)
    if shown != plain:
        return shown
    name, _, value = plain.partition("=")
    key = name.lower().replace("_", "-")
    secret = key in ALWAYS_SECRET or (key == "token" and OPAQUE.fullmatch(value))
    return f"{name}={SHOWN}" if secret and value else raw
