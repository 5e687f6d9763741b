"""The provider process and its engine: without the engine it writes nothing, and it ends soon after it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from providers import host
from tests import ROOT

CODE = """
import time
from providers import host
host.CHECK_EVERY_S = 0.05
host.exit_with_the_engine()
host.exit_with_the_engine()
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def engine() -> Iterator[socket.socket]:
    """Something that listens, as an engine does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def address(engine: socket.socket) -> str:
    return f"127.0.0.1:{engine.getsockname()[1]}"


def test_an_engine_is_alive_as_long_as_its_port_answers(engine: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["provider", address(engine)])
    assert host.engine_is_alive()

    engine.close()

    assert not host.engine_is_alive()


@pytest.mark.parametrize("arguments", [[], ["no address"], ["127.0.0.1:1", "more"]])
def test_without_an_engines_address_none_is_missed(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["provider", *arguments])

    assert host.engine_is_alive()


def test_a_process_ends_with_its_engine(engine: socket.socket) -> None:
    command = [sys.executable, "-c", CODE, address(engine)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(0.3)
        assert process.poll() is None, "it stays while the engine lives"

        engine.close()

        assert process.wait(10) == 1
