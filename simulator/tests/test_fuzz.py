"""Whatever is sent to any route: no 500, no hang, no secret in the answer, and still healthy afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_dynatrace.testing import Local

from . import fuzz, steering

pytestmark = pytest.mark.slow

EXAMPLES, STEERING_EXAMPLES = 300, 80
SETTINGS: dict[str, Any] = {
    "deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck),
}  # fmt: skip


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Local, fuzz.Known]]:
    local = Local(tmp_path_factory.mktemp("fuzz"), clock="frozen")
    yield local, fuzz.prepare(local)
    check_log(local)
    local.close()


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[steering.Steered]:
    local = Local(tmp_path_factory.mktemp("steering"), clock="frozen", scheduler=True)
    yield steering.prepare(local)
    check_log(local)
    local.close()


def check_log(local: Local) -> None:
    """No request may have left an error or a secret in the log."""
    log = Path(local.folder / "local-dynatrace.log").read_text()
    assert "Traceback" not in log, log[-3000:]
    assert not any(secret in log for secret in fuzz.SECRETS)


@settings(max_examples=EXAMPLES, **SETTINGS)
@given(data=st.data())
def test_no_request_breaks_it(furnished: tuple[Local, fuzz.Known], data: st.DataObject) -> None:
    local, known = furnished
    fuzz.check(local, data.draw(fuzz.call(known)))


@settings(max_examples=STEERING_EXAMPLES, **SETTINGS)
@given(data=st.data())
def test_no_control_and_no_button_leaves_it_broken(steered: steering.Steered, data: st.DataObject) -> None:
    steering.play(steered, data.draw(steering.calls(steered.known)))


def test_the_sweeps_reach_every_route_between_them() -> None:
    reached = {(route.method, route.path) for route in (*fuzz.routes(), *steering.routes())}

    assert {(route.method, route.path) for route in fuzz.every_route()} == reached
    assert {("PUT", "/_sim/state"), ("POST", "/_sim/ui/controls/clock"), ("GET", "/_sim/idle")} <= reached
