"""Answers of a contract run, scrubbed and dated: evidence of how a tenant behaved, fit to be shown to others."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

PATTERNS = (
    ("token", re.compile(r"\bdt0[a-z]\d\d\.[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)?")),
    ("bearer", re.compile(r"\b(?:Bearer|Api-Token) \S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*")),
    ("account", re.compile(r"\burn:dtaccount:[0-9a-f-]+")),
    ("uuid", re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")),
    ("vault", re.compile(r"\bCREDENTIALS?_VAULT(?:_ENTRY)?-[0-9A-F]+")),
    ("e-mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (
        "host",
        re.compile(r"\b(?:[\w-]+\.)+dynatrace(?:labs)?\.com\b|\b127\.0\.0\.1(?::\d+)?|\b(?:\d{1,3}\.){3}\d{1,3}\b"),
    ),
    ("opaque", re.compile(r"\b[A-Za-z0-9_-]{40,}={0,2}")),
)
"""What names a tenant or lets somebody in. Each distinct value becomes ``<kind n>``, the same one everywhere."""


class Scrubber:
    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self.secrets = secrets
        self._names: dict[tuple[str, str], str] = {}

    def text(self, text: str) -> str:
        for secret in self.secrets:
            if secret:
                text = text.replace(secret, "<secret>")
        for kind, pattern in PATTERNS:
            text = pattern.sub(lambda match, kind=kind: self._name(kind, match.group()), text)  # type: ignore[misc]
        return text

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.value(item) for name, item in value.items()}
        return value

    def _name(self, kind: str, value: str) -> str:
        count = sum(known == kind for known, _ in self._names)
        return self._names.setdefault((kind, value), f"<{kind} {count + 1}>")


@dataclass
class Recording:
    scrubber: Scrubber
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    test: str = ""

    def keep(self, answer: requests.Response) -> None:
        url, body = urlsplit(answer.request.url or ""), answer.request.body
        sent = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        self.exchanges.append(
            {
                "test": self.test,
                "method": answer.request.method,
                "path": self.scrubber.text(url.path + (f"?{url.query}" if url.query else "")),
                "sent": self.scrubber.value(plain(sent)),
                "status": answer.status_code,
                "type": answer.headers.get("content-type", "").partition(";")[0],
                "answer": self.scrubber.value(plain(answer.text)),
            }
        )

    def write(self, folder: Path, name: str) -> Path:
        """``2026-11-25-tenant.json``; one of the same day is replaced."""
        day = datetime.now(UTC).date().isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{day}-{name}.json"
        file.write_text(json.dumps({"date": day, "environment": name, "exchanges": self.exchanges}, indent=1) + "\n")
        return file


def plain(text: str | None) -> Any:
    """JSON where it is JSON."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
