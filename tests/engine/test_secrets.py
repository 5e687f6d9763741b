"""No secret is shown or stored in clear, in any form, whatever fails; and each arrives as it was given."""

from __future__ import annotations

from local_dynatrace.testing import Local
from tests.engine import canaries, inside
from tests.engine.deployment import Deployment


def test_a_secret_of_every_character_works_and_none_is_found_anywhere(stack: Deployment, local: Local) -> None:
    searched, found = canaries.campaign(stack, canaries.QUICK)

    assert found == []
    assert searched > 1000
    assert inside.failed_runs(local) == [], "SCM took the secret with all its characters"


def test_the_search_finds_what_is_there(stack: Deployment, local: Local) -> None:
    """Else its finding nothing would prove nothing."""
    secret = canaries.secret_part(canaries.CANARIES["sectigoClientSecret"])
    for name, form in {**canaries.forms(secret), "a piece": secret[:80]}.items():
        _, found = canaries.search([("here", f"before {form} after".encode())])
        assert any(f"({name})" in line for line in found), name


def test_of_verbose_logs_only_the_engines_own_records_of_values_are_left_out() -> None:
    of_engine = '{"time":"T","level":"INFO","msg":"Marshaling property for RPC[Provider[0x1].Create(urn)]: value={a}"}'
    of_provider = '{"time":"T","level":"INFO","msg":"provider says a"}'

    assert canaries.without_rpc_records(f"{of_engine}\n{of_provider}\nb") == f"\n{of_provider}\nb"
