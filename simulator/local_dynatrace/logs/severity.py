"""Severity of a record: ``loglevel`` from the first of five keys, ``status`` computed from it (LJ, LT)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

KEYS = ("loglevel", "status", "severity", "level", "syslog.severity")
"""In this order; ``log.level`` is not among them."""
COMPUTED = {"loglevel", "status"}
"""Written for every record: what a sender put there is replaced."""

PREFIXES = (
    ("emerg", "EMERGENCY"), ("f", "EMERGENCY"), ("e", "ERROR"), ("a", "ALERT"), ("c", "CRITICAL"), ("s", "SEVERE"),
    ("w", "WARN"), ("n", "NOTICE"), ("i", "INFO"), ("d", "DEBUG"), ("trace", "DEBUG"), ("verbose", "DEBUG"),
)  # fmt: skip
STATUS = {
    "EMERGENCY": "ERROR", "ERROR": "ERROR", "ALERT": "ERROR", "CRITICAL": "ERROR", "SEVERE": "ERROR",
    "WARN": "WARN", "NOTICE": "INFO", "INFO": "INFO", "DEBUG": "INFO", "NONE": "NONE",
}  # fmt: skip


def loglevel(value: Any) -> str:
    return of_text(value) if isinstance(value, str) else "NONE"


@lru_cache(maxsize=1024)
def of_text(value: str) -> str:
    """By prefix, in any case: SUCCESS is SEVERE. The word NONE itself stays [D]."""
    word = value.strip().lower()
    if word == "none":
        return "NONE"
    return next((level for prefix, level in PREFIXES if word.startswith(prefix)), "NONE")
