"""Keeps secrets out of everything that is shown."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

SHOWN = "[secret]"
SHORTEST = 4
TOKEN = re.compile(r"dt0[a-z]\d\d\.[^.]+\.[^.]{16,}")
"""Of a token only the last part is secret (facts: dynatrace-api 2.1), and it may appear alone."""


def forms(secret: str) -> list[str]:
    """The secret as it may appear: plain, JSON-escaped, URL-encoded, base64, hexadecimal."""
    raw = secret.encode("utf-8", "surrogatepass")
    return [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        *in_base64(raw),
        raw.hex(),
        raw.hex().upper(),
    ]


def in_base64(raw: bytes) -> list[str]:
    """What is the same in any base64 text that holds these bytes, whatever comes before and after them."""
    found = []
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.append(encode(bytes(before) + raw).decode()[first:last])
    return found


class Redactor:
    """Replaces known secrets, in all their forms, by ``[secret]``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        self._adding = threading.Lock()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        if TOKEN.match(secret):
            self.add(secret.rsplit(".", 1)[-1])
        if len(secret) >= SHORTEST:
            shown = {form for form in forms(secret) if len(form) >= SHORTEST}
            with self._adding:
                self._forms = sorted({*self._forms, *shown}, key=len, reverse=True)

    def within(self, value: Any) -> Any:
        """The same JSON value with its texts redacted. To be used before texts are cut or joined: a part of a secret
        would not be recognised."""
        if isinstance(value, dict):
            return {self(key): self.within(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.within(inner) for inner in value]
        return self(value) if isinstance(value, str) else value

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, SHOWN)
        return text
