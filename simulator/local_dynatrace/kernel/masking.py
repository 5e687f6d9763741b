"""Removes secrets from an address before it is logged; the public part of a Dynatrace token is kept."""

from __future__ import annotations

import re
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
