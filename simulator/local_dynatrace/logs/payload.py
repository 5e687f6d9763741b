"""From a request to records: content types, compression, parameters (facts: dynatrace-api 7)."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from ..kernel.routing import TOKEN_PARAMETER, Call
from . import errors

MAX_BODY = 10 * 1024 * 1024
JSON_LINES = {
    "application/jsonl", "application/jsonlines", "application/jsonlines+json", "application/x-jsonlines",
    "application/x-ndjson",
}  # fmt: skip
OPTIONS = {"structure", "content-type", "api-token"}
"""Query parameters that are none of the record's attributes; all others are (LJ)."""


@dataclass(frozen=True)
class Payload:
    records: list[Any]
    """Objects; anything else in their place is an invalid record."""
    added: dict[str, Any]
    structure: str
    unpaired_surrogates: bool
    """The JSON may hold half of a surrogate pair, which no UTF-8 text can."""


def read(call: Call) -> Payload:
    """Parse a request. Raises the 400s and 413s that concern the body as a whole."""
    options = {
        **dict(parse_qsl(call.headers.get("x-dynatrace-options", ""))),
        **{key: value for key, value in call.query.items() if key in OPTIONS},
    }
    structure = options.get("structure", "raw")
    if structure not in ("raw", "flattened"):
        raise errors.invalid(f"Unknown structure {structure!r}")
    body = decompressed(call.body, call.headers.get("content-encoding", "identity").strip().lower())
    if len(body) > MAX_BODY:
        raise errors.too_large("Request payload size is too big")
    media_type = options.get("content-type", call.headers.get("content-type", ""))
    return Payload(
        records=parse(body, media_type.partition(";")[0].strip().lower()),
        added=attributes(call),
        structure=structure,
        unpaired_surrogates=b"\\ud" in body or b"\\uD" in body,
    )


def decompressed(body: bytes, encoding: str) -> bytes:
    """Gzip is accepted, UNVERIFIED; never more than the limit is unpacked."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise errors.invalid(f"Unsupported content encoding {encoding!r}")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        return unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise errors.invalid("The body is not gzip") from None


def parse(body: bytes, media_type: str) -> list[Any]:
    if media_type == "text/plain":
        text = body.decode("utf-8", "replace")
        return [{"content": text}] if text else []
    if media_type in JSON_LINES:
        lines = [parse_json(line) for line in body.split(b"\n") if line.strip()]
        return [None if line is INVALID else line for line in lines]
    if media_type != "application/json":
        raise errors.unsupported_content(media_type)
    found = parse_json(body)
    if found is INVALID:
        raise errors.invalid("Could not parse JSON")
    return found if isinstance(found, list) else [found]


INVALID = object()


def parse_json(text: bytes) -> Any:
    """JSON in UTF-8; ``INVALID`` if it is none. Python's NaN and Infinity are none."""
    try:
        return json.loads(text.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return INVALID


def refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def attributes(call: Call) -> dict[str, Any]:
    """Query parameters over those of the header ``X-Dynatrace-Attr``; a repeated one has several values."""
    found: dict[str, Any] = {}
    for source in (parse_qsl(call.headers.get("x-dynatrace-attr", ""), keep_blank_values=True), call.query_list):
        values: dict[str, list[str]] = {}
        for key, value in source:
            if key not in (*OPTIONS, TOKEN_PARAMETER):
                values.setdefault(key, []).append(value)
        found |= {key: several if len(several) > 1 else several[0] for key, several in values.items()}
    return found
