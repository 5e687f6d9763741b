"""The process that providers run in: Pulumi's host for Python, one per operation, started and served by the engine."""

from __future__ import annotations

import os
import socket
import sys
import threading
import traceback
from typing import Any

from .api.errors import DynatraceError, EngineGone

LOOK_EVERY_S = 5.0
WATCH = "engine-watch"


def say(text: str) -> None:
    """Tell the user something while the engine works; shown with the stack."""
    print(text, flush=True)


def warn(text: str) -> None:
    print(f"warning: {text}", flush=True)


def engine_lives() -> bool:
    """Whether the engine that started this process answers. Its address is the host's only argument."""
    address = sys.argv[1] if len(sys.argv) == 2 else ""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return True
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True  # busy, not gone: a dead process's port refuses at once
    return True


def require_engine() -> None:
    """Refuse to write when the engine is gone: this process outlives a killed engine, and what it would still create
    could not be recorded."""
    if not engine_lives():
        raise EngineGone("the Pulumi engine is gone; nothing more is written")


def leave_with_the_engine() -> None:
    """End this process some seconds after a killed engine; else it would stay for good."""

    def watch() -> None:
        while engine_lives():
            threading.Event().wait(LOOK_EVERY_S)
        os._exit(1)

    if not any(thread.name == WATCH for thread in threading.enumerate()):
        threading.Thread(target=watch, name=WATCH, daemon=True).start()


def show_sentences_instead_of_tracebacks() -> None:
    """Pulumi's host answers every exception with ``traceback.format_exc()``. Ours are written for the user; a
    traceback above them hides the sentence. Errors that are not ours keep theirs."""
    original = traceback.format_exc

    def format_exc(*args: Any, **kwargs: Any) -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, DynatraceError) else original(*args, **kwargs)

    if traceback.format_exc.__module__ == "traceback":
        traceback.format_exc = format_exc
