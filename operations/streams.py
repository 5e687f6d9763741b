"""What commands print: in UTF-8 whatever the locale is, and without the values that a stack's config keeps secret."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from providers.api.redaction import Redactor

hidden = Redactor()
"""Every value that the stack's config marks as secret; ``Stack`` adds them when it reads the config."""


class Redacted(io.TextIOBase):
    """A stream that hides secrets. Commands write whole lines, so no secret is written in two parts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(hidden(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


def protect() -> None:
    """Let this process print UTF-8, and nothing of ``hidden``."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
            setattr(sys, name, Redacted(stream))


def restart_in_utf_8(arguments: list[str]) -> None:
    """Start this command again in Python's UTF-8 mode, unless the locale is a UTF-8 one.

    In another locale, Python would garble what it passes to pulumi and git as arguments, and what it reads from files
    and variables. The variable also reaches the program and the providers.
    """
    if sys.flags.utf8_mode or sys.getfilesystemencoding().lower() == "utf-8":
        return
    os.environ["PYTHONUTF8"] = "1"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "operations", *arguments])
