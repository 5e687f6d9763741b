"""Whatever is sent to any route: no 500, no hang, no secret in the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local import Local
from tests.simulator import fuzz

EXAMPLES = 600


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Local, fuzz.Known]]:
    local = Local(tmp_path_factory.mktemp("fuzz"), clock="frozen")
    yield local, fuzz.prepare(local)
    local.close()


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_no_request_breaks_it(furnished: tuple[Local, fuzz.Known], data: st.DataObject) -> None:
    local, known = furnished
    fuzz.check(local, data.draw(fuzz.call(known)))


def test_the_sweep_reaches_every_route(furnished: tuple[Local, fuzz.Known]) -> None:
    reached = {route.path for route in fuzz.routes()}

    assert len(reached) > 60
    assert {"/api/v2/credentials", "/api/v1/records", "/sso/oauth2/token"} <= reached


def test_nothing_was_written_to_the_error_log(furnished: tuple[Local, fuzz.Known]) -> None:
    local, _ = furnished
    log = Path(local.folder / "simulator.log").read_text()

    assert "Traceback" not in log, log[-3000:]
    assert not any(secret in log for secret in fuzz.SECRETS)
