"""The answers of a run, scrubbed and dated: evidence of how an environment behaved, fit to be shown to others."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PATTERNS = (
    ("token", re.compile(r"\bdt0[a-z]\d\d\.[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)?")),
    ("bearer", re.compile(r"\b(?:Bearer|Api-Token) \S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*")),
    ("account", re.compile(r"\burn:dtaccount:[0-9a-f-]+")),
    ("uuid", re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")),
    ("vault", re.compile(r"\bCREDENTIALS?_VAULT(?:_ENTRY)?-[0-9A-F]+")),
    ("e-mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (
        "host",
        re.compile(r"\b(?:[\w-]+\.)+(?:dynatrace(?:labs)?|sectigo)\.com\b|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b"),
    ),
    ("opaque", re.compile(r"\b[A-Za-z0-9_-]{40,}={0,2}")),
)
"""What names an environment or lets somebody in. Each distinct value becomes ``<kind n>``, the same one everywhere."""
LISTS = ("credentials", "results", "items", "records")
"""Members that list objects of everybody."""


class Scrubber:
    """``secrets``: texts that are replaced whatever they look like. ``mark``: part of the names of scratch objects."""

    def __init__(self, secrets: tuple[str, ...], mark: str) -> None:
        self.secrets, self.mark = sorted(filter(None, secrets), key=len, reverse=True), mark
        self._names: dict[tuple[str, str], str] = {}

    def text(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "<secret>")
        for kind, pattern in PATTERNS:
            text = pattern.sub(lambda match, kind=kind: self._name(kind, match.group()), text)  # type: ignore[misc]
        return text

    def value(self, value: Any) -> Any:
        """Without anything that belongs to others: a list of objects keeps those of this run."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self._member(name, item) for name, item in value.items()}
        return value

    def _member(self, name: str, value: Any) -> Any:
        if name not in LISTS or not isinstance(value, list):
            return self.value(value)
        own = [item for item in value if self.mark in json.dumps(item, ensure_ascii=False)]
        return [*self.value(own), f"<{len(value) - len(own)} of others>"]

    def _name(self, kind: str, value: str) -> str:
        count = sum(known == kind for known, _ in self._names)
        return self._names.setdefault((kind, value), f"<{kind} {count + 1}>")


def shape(value: Any) -> Any:
    """The form of an answer without its content: audit records are not ours to keep."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0]), f"<{len(value)} in all>"] if value else []
    return f"<{type(value).__name__}>"


@dataclass
class Recording:
    scrubber: Scrubber
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    check: str = ""

    def keep(
        self, method: str, path: str, sent: Any, status: int, kind: str, answer: Any, *, shape_only: bool = False
    ) -> None:
        self.exchanges.append(
            {
                "check": self.check,
                "method": method,
                "path": self.scrubber.text(path),
                "sent": self.scrubber.value(sent),
                "status": status,
                "type": kind,
                "answer": shape(answer) if shape_only else self.scrubber.value(answer),
            }
        )

    def write(self, folder: Path, stack: str, verdicts: list[dict[str, str]]) -> Path:
        """``2026-11-28-prod.json``; one of the same day is replaced."""
        day = datetime.now(UTC).date().isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{day}-{stack.rsplit('/', 1)[-1]}.json"
        content = {"date": day, "facts": self.scrubber.value(verdicts), "exchanges": self.exchanges}
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return file
