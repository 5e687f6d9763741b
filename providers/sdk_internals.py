"""Everything that relies on parts of Pulumi's SDK which it does not document; nothing else in this repository does.

Each has a canary in tests/unit/test_sdk_internals.py, which fails when an upgrade of the SDK changes it.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def engine_address() -> str:
    """``HOST:PORT`` of the engine that started this provider process: its only argument. Empty in other processes."""
    address = sys.argv[1] if len(sys.argv) == 2 else ""
    return address if address.rpartition(":")[2].isdigit() else ""


@lru_cache
def engine_at(address: str) -> Any:
    """A client of the engine's own service. ``pulumi.log`` cannot be used: it finds its engine in a context variable,
    which the threads that serve the engine's calls do not share."""
    import grpc  # type: ignore[import-untyped]
    from pulumi.runtime.proto import engine_pb2_grpc

    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))


def log_warning(text: str) -> bool:
    """Send a warning to the engine, so that it counts and shows as one. False: no engine answers."""
    address = engine_address()
    if not address:
        return False
    import grpc
    from pulumi.runtime.proto import engine_pb2

    try:
        engine_at(address).Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=text), timeout=10)
    except grpc.RpcError:
        return False
    return True


def show_messages_instead_of_tracebacks(ours: type[Exception], redact: Callable[[str], str] = str) -> None:
    """Pulumi's host answers every exception with ``traceback.format_exc()``. Errors of class ``ours`` are written for
    the user; a traceback above them hides the message. All other errors keep theirs."""
    original = traceback.format_exc

    def format_exc(*args: Any, **kwargs: Any) -> str:
        error = sys.exc_info()[1]
        return redact(str(error) if isinstance(error, ours) else original(*args, **kwargs))

    if traceback.format_exc.__module__ == "traceback":
        traceback.format_exc = format_exc


def provider_config(config: Any) -> dict[str, Any]:
    """All values that a provider is configured with, by full key. Its documented ``get`` reads one project's keys."""
    values: dict[str, Any] = config._props
    return values


def config_as_sent() -> dict[str, str]:
    """The config in the bytes that the engine sent, which are UTF-8; empty where it sent none.

    The SDK reads the same variable as text, which Python decodes in the locale's encoding: in a Latin-1 locale, ``ü``
    arrives as ``Ã¼``, and a good secret would be replaced by a garbled one.
    """
    sent = os.environb.get(b"PULUMI_CONFIG", b"") if os.supports_bytes_environ else b""
    return dict(json.loads(sent.decode("utf-8"))) if sent else {}


def stack_config(project: str) -> tuple[dict[str, str], set[str]]:
    """Config values of the stack that is being deployed, as texts by key, and the keys that are stored in plaintext.

    The documented ``pulumi.Config`` reads a key that one knows; unknown keys must be found to be reported.
    """
    from pulumi.runtime import config

    prefix = f"{project}:"
    found = config_as_sent() or config.CONFIG.get()
    given = {key.removeprefix(prefix): text for key, text in found.items() if key.startswith(prefix)}
    plain = {name for name in given if not config.is_config_secret(prefix + name)}
    return given, plain
