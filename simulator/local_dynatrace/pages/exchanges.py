"""One request and its answer, without secrets, and as a ``curl`` command."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.masking import masked_body
from ..kernel.routing import RouteTable
from ..kernel.world import LoggedRequest, World

MOST_SHOWN = 20_000
SHORTEST_SECRET = 6
"""Shorter values of the vault would hide parts of ordinary words."""
TOKENS = {"Api-Token": "$DT_API_TOKEN", "Bearer": "$DT_BEARER_TOKEN"}


def said(world: World, table: RouteTable, line: LoggedRequest) -> dict[str, Any] | None:
    """Headers and bodies of both; None if they are not kept any more."""
    if line.copy is None:
        return None
    secrets = vault_values(world)
    copy = line.copy
    request = text_of(copy.request, copy.request_headers.get("content-type", ""), secrets)
    answer = text_of(copy.answer, copy.answer_headers.get("content-type", ""), secrets)
    return {
        "request_headers": shown_headers(copy.request_headers),
        "request": shortened(request),
        "request_size": copy.request_size,
        "answer_headers": shown_headers(copy.answer_headers),
        "answer": shortened(answer),
        "answer_size": copy.answer_size,
        "curl": curl(world.url, line, request),
    }


def text_of(content: bytes | None, content_type: str, secrets: list[str]) -> str | None:
    """Empty for no body; None for one that is too long or not text."""
    if content is None:
        return None
    try:
        return masked_body(content.decode("utf-8"), content_type.lower(), secrets) if content else ""
    except UnicodeDecodeError:
        return None


def shortened(text: str | None) -> str | None:
    return text if text is None or len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "\n…"


def shown_headers(headers: dict[str, str]) -> list[tuple[str, str]]:
    found = {name.lower(): value for name, value in headers.items()}
    if "authorization" in found:
        found["authorization"] += " [secret]"
    return sorted(found.items())


def curl(url: str, line: LoggedRequest, body: str | None) -> str:
    """A command that repeats the request once the secrets in it have been filled in."""
    assert line.copy is not None
    address = f"{url}{line.path}{f'?{line.query}' if line.query else ''}"
    parts = [f"curl -X {line.method} {quoted(address)}"]
    for name, value in line.copy.request_headers.items():
        if name == "authorization":
            parts.append(f'-H "Authorization: {value} {TOKENS.get(value, "$TOKEN")}"')
        elif name == "content-type" or value != "*/*":
            parts.append(f"-H {quoted(f'{name}: {value}')}")
    if body is None:
        parts.append("--data-binary @body")
    elif body:
        parts.append(f"--data-raw {quoted(compact(body))}")
    return " \\\n  ".join(parts)


def compact(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return body


def quoted(text: str) -> str:
    """For a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def vault_values(world: World) -> list[str]:
    """What the vault keeps secret, wherever else it might appear; the longest first."""
    rows = world.store.all("SELECT sealed FROM credentials")
    found = {value for row in rows for value in json.loads(world.store.unseal(row["sealed"])).values()}
    return sorted(
        (each for each in found if isinstance(each, str) and len(each) >= SHORTEST_SECRET), key=len, reverse=True
    )
