"""Keeps secrets out of everything that is shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHOWN = "[secret]"
SHORTEST = 4


def forms(secret: str) -> list[str]:
    """The secret as it may turn up: plain, JSON-escaped, URL-encoded, base64, hexadecimal."""
    raw = secret.encode("utf-8", "surrogatepass")
    return [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        *in_base64(raw),
        raw.hex(),
        raw.hex().upper(),
    ]


def in_base64(raw: bytes) -> list[str]:
    """What is the same in any base64 text that holds these bytes, whatever stands before and after them."""
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
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        if len(secret) >= SHORTEST:
            shown = {form for form in forms(secret) if len(form) >= SHORTEST}
            self._forms = sorted({*self._forms, *shown}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, SHOWN)
        return text
