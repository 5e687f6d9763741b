"""Users that cannot work together stop a deployment before its first write, and doctor says the same."""

from __future__ import annotations

from collections.abc import Callable

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import PERSON, SERVICE_USER, new_token
from tests.engine.canaries import SCOPES
from tests.operations.conftest import Operated


def test_a_deploy_token_of_another_user_stops_up_and_doctor_with_one_thing_to_change(
    prepare: Callable[..., Operated], local: Local
) -> None:
    token = new_token(local, *SCOPES, owner=PERSON["email"])
    stack = prepare(credentialsOwnerOnly="true")
    stack.configure_secret("dynatraceApiToken", token)
    before = local.sim("GET", "dump")
    said = f"use a dynatraceApiToken of {SERVICE_USER['email']}; or set credentialsOwnerOnly to false"

    for done in (stack.up(check=False), stack.operate("doctor", check=False)):
        assert done.code != 0
        assert said in done.text
        assert "Traceback" not in done.text
    assert local.sim("GET", "dump") == before

    # The workflow writes its entries as another user than the deployment: this works, with one more permission.
    stack.configure(credentialsOwnerOnly="false")
    warned = stack.up(check=False)
    assert "which needs environment:roles:manage-settings" in warned.text
    doctor = stack.operate("doctor", check=False)
    assert "which needs environment:roles:manage-settings" in doctor.text
    stack.destroy("--run-program")
