"""A canary for each part of Pulumi's SDK that we rely on although it is not documented: it fails when that changes."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest
from pulumi.dynamic import Config, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from providers import sdk_internals
from providers.host import warn


def stored(provider: ResourceProvider) -> str:
    """What the SDK writes into the state for a provider."""
    return str(serialize_provider(provider))


class Engine(engine_pb2_grpc.EngineServicer):
    """An engine's own service, as far as a log needs it."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, str]] = []

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
        self.logged.append((request.severity, request.message))
        return engine_pb2.google_dot_protobuf_dot_empty__pb2.Empty()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Answers at the address that this process has as its only argument, as a provider process has it."""
    service, server = Engine(), grpc.server(ThreadPoolExecutor(2))
    engine_pb2_grpc.add_EngineServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setattr(sys, "argv", ["provider", f"127.0.0.1:{port}"])
    yield service
    server.stop(0).wait(5)


def test_a_warning_reaches_the_engine_with_its_severity_from_every_thread(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(warn, ["one", "two"]))

    assert sorted(engine.logged) == [(engine_pb2.WARNING, "one"), (engine_pb2.WARNING, "two")]
    assert capsys.readouterr().out == ""


def test_without_an_engine_a_warning_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["python"])
    warn("nobody listens")
    monkeypatch.setattr(sys, "argv", ["provider", "127.0.0.1:1"])
    warn("nobody answers")

    assert capsys.readouterr().out == "warning: nobody listens\nwarning: nobody answers\n"


def test_the_host_answers_exceptions_with_the_function_that_we_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    host = find_spec("pulumi.dynamic.__main__")
    assert host is not None
    assert host.origin is not None
    assert "traceback.format_exc()" in Path(host.origin).read_text()

    monkeypatch.setattr(traceback, "format_exc", traceback.format_exc)
    sdk_internals.show_messages_instead_of_tracebacks(LookupError)
    sdk_internals.show_messages_instead_of_tracebacks(LookupError)
    try:
        raise IndexError("ours")
    except IndexError:
        assert traceback.format_exc() == "ours"
    try:
        raise OSError("not ours")
    except OSError:
        assert traceback.format_exc().startswith("Traceback")


def test_the_stack_config_is_found_with_its_unknown_keys_and_what_is_secret() -> None:
    config = {"p:given": "x", "p:secret": "y", "other:key": "z"}
    pulumi.runtime.set_all_config(config, ["p:secret"])
    try:
        assert sdk_internals.stack_config("p") == ({"given": "x", "secret": "y"}, {"given"})
    finally:
        pulumi.runtime.set_all_config({})


def test_all_values_of_a_providers_config_are_found_with_their_full_keys() -> None:
    assert sdk_internals.provider_config(Config({"p:key": "x"}, "q")) == {"p:key": "x"}


def test_a_provider_may_say_that_its_pickle_holds_no_secret() -> None:
    assert ResourceProvider.serialize_as_secret_always is True
    assert "serialize_as_secret_always" in inspect.getsource(pulumi.dynamic.dynamic)
