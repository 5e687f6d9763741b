"""The process that providers run in: Pulumi's host for Python, one per operation, started and served by the engine."""

from __future__ import annotations

import io
import os
import socket
import sys
import threading

from . import sdk_internals
from .api.errors import DynatraceError, EngineGone
from .api.redaction import Redactor

CHECK_EVERY_S = 5.0
WATCH = "engine-watch"
hidden = Redactor()
"""Config values that the user marked as secret: nothing that this process says shows them."""


def say(text: str) -> None:
    """Tell the user something while the engine works; shown with the stack."""
    print(hidden(text), flush=True)


def warn(text: str) -> None:
    """A warning with Pulumi's severity; printed where no engine is there to take it."""
    text = hidden(text)
    if not sdk_internals.log_warning(text):
        print(f"warning: {text}", flush=True)


def prepare() -> None:
    """Make this process fit for users: errors of ours as messages, and an end together with the engine."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # the engine reads UTF-8, whatever the locale is
    sdk_internals.show_messages_instead_of_tracebacks(DynatraceError, hidden)
    exit_with_the_engine()


def engine_is_alive() -> bool:
    """Whether the engine that started this process answers. True where no engine is known."""
    host, _, port = sdk_internals.engine_address().rpartition(":")
    if not port:
        return True
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True  # busy, not gone: the port of a dead process refuses at once
    return True


def require_engine() -> None:
    """Refuse to write when the engine is gone: this process outlives a killed engine, and what it would still create
    could not be recorded."""
    if not engine_is_alive():
        raise EngineGone("the Pulumi engine is gone; nothing more is written")


def exit_with_the_engine() -> None:
    """End this process some seconds after its engine was killed; otherwise it would stay forever."""

    def watch() -> None:
        while engine_is_alive():
            threading.Event().wait(CHECK_EVERY_S)
        os._exit(1)

    if not any(thread.name == WATCH for thread in threading.enumerate()):
        threading.Thread(target=watch, name=WATCH, daemon=True).start()
