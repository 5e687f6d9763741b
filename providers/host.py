"""The process that providers run in: Pulumi's host for Python, one per operation, started and served by the engine."""

from __future__ import annotations

import socket
import sys
import traceback
from typing import Any

from .api.errors import DynatraceError, EngineGone


def say(text: str) -> None:
    """Tell the user something while the engine works; shown with the stack."""
    print(text, flush=True)


def warn(text: str) -> None:
    print(f"warning: {text}", flush=True)


def require_engine() -> None:
    """Refuse to write when the engine is gone: this process outlives a killed engine, and what it would still create
    could not be recorded. The engine's address is the host's only argument."""
    address = sys.argv[1] if len(sys.argv) == 2 else ""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        raise EngineGone("the Pulumi engine is gone; nothing more is written") from None


def show_sentences_instead_of_tracebacks() -> None:
    """Pulumi's host answers every exception with ``traceback.format_exc()``. Ours are written for the user; a
    traceback above them hides the sentence. Errors that are not ours keep theirs."""
    original = traceback.format_exc

    def format_exc(*args: Any, **kwargs: Any) -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, DynatraceError) else original(*args, **kwargs)

    if traceback.format_exc.__module__ == "traceback":
        traceback.format_exc = format_exc
