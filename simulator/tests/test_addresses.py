"""Which names the listener answers to, and what addresses that are nearly right lead to."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from local_dynatrace.testing import Local

NAMES = ["sim.example", "other.example:8080"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """An environment that listens on every address and answers to two more names."""
    arguments = ["--host", "0.0.0.0", *(word for name in NAMES for word in ("--allowed-host", name))]
    local = Local(tmp_path_factory.mktemp("shared"), arguments=arguments)
    yield local
    local.close()


def status(local: Local, host: str, **headers: str) -> int:
    method, path = ("POST", "/_sim/reset") if headers else ("GET", "/_sim/health")
    return local.call(method, path, headers={"Host": host, **headers}).status_code


@pytest.mark.parametrize("host", ["sim.example", "sim.example:9999", "other.example:8080", "SIM.example"])
def test_an_allowed_name_is_answered(shared: Local, host: str) -> None:
    assert status(shared, host) == 200


@pytest.mark.parametrize("host", ["evil.example", "other.example", "sim.example.evil.example", "x.sim.example"])
def test_every_other_name_is_refused(shared: Local, host: str) -> None:
    assert status(shared, host) == 421


def test_without_a_choice_only_loopback_names_are_answered(local: Local) -> None:
    assert status(local, f"localhost:{local.port}") == 200
    assert status(local, "sim.example") == 421
    assert "--allowed-host" in local.call("GET", "/", headers={"Host": "sim.example"}).text


def test_pages_of_an_allowed_name_may_change_something_and_no_others(shared: Local) -> None:
    assert status(shared, "sim.example", Origin="http://sim.example") == 200
    assert status(shared, "sim.example", Origin="https://evil.example") == 403


def own_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has only its loopback address")
        return str(probe.getsockname()[0])


def test_loopback_is_the_default_and_another_address_a_choice(local: Local, shared: Local) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((own_address(), local.port), timeout=5)
    socket.create_connection((own_address(), shared.port), timeout=5).close()


@pytest.mark.parametrize("path", ["/", "/_sim/health", "/ui/apps/dynatrace.logs"])
def test_head_is_answered_like_get_without_a_body(local: Local, path: str) -> None:
    got, head = local.call("GET", path), local.call("HEAD", path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


def test_head_of_a_path_that_takes_no_get_is_refused(local: Local) -> None:
    answer = local.call("HEAD", "/sso/oauth2/token")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/ui/apps/dynatrace.automations", "/ui/apps/dynatrace.automations/workflows"),
        ("/ui/apps/dynatrace.automations/", "/ui/apps/dynatrace.automations/workflows"),
        ("/ui/apps/dynatrace.settings", "/ui/apps/dynatrace.settings/settings/external-requests"),
        ("/ui/apps/dynatrace.logs/", "/ui/apps/dynatrace.logs"),
        ("/ui/apps/dynatrace.logs/?query=fetch%20logs", "/ui/apps/dynatrace.logs?query=fetch+logs"),
        ("/_sim/ui/controls/", "/_sim/ui/controls"),
        ("/ui", "/"),
        ("/ui/", "/"),
        ("/ui/apps/", "/"),
        ("/_sim/ui/", "/"),
    ],
)
def test_a_trailing_slash_and_the_root_of_an_app_lead_to_the_page(local: Local, path: str, target: str) -> None:
    answer = local.call("GET", path, allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (302, target)
    assert local.call("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("path", "closest"),
    [("/ui/apps/dynatrace.logz", "/ui/apps/dynatrace.logs"), ("/_sim/ui/request", "/_sim/ui/requests")],
)
def test_the_page_that_is_not_there_suggests_the_closest_one(local: Local, path: str, closest: str) -> None:
    answer = local.call("GET", path)

    assert answer.status_code == 404
    assert f'Closest: <a href="{closest}">' in answer.text
