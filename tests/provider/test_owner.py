"""Two deployments of one connector: what one has created or taken over, the other leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import with_token
from providers.api.errors import ApiError, Refused
from providers.credential import (
    ConfigCredentialProvider,
    StateCredentialProvider,
    TokenCredentialProvider,
    UserCredentialProvider,
)
from tests.provider.conftest import SCM_CLIENT, connect, entry, named, place, vault
from tests.provider.test_preflight import MARA, TOKEN_SCOPES, new_token

ONE, OTHER = "p/dev#11111111", "p/dev#22222222"
SCM, TOKEN, STATE, CONFIG = (
    UserCredentialProvider(),
    TokenCredentialProvider(),
    StateCredentialProvider(),
    ConfigCredentialProvider(),
)


def scm(local: Local, stack: str, **more: Any) -> dict[str, Any]:
    return entry(place(local, stack=stack), "OAuth", **SCM_CLIENT, hosts=["a.example"], claims=[], **more)


def config(local: Local, stack: str, value: str) -> dict[str, Any]:
    return entry(place(local, stack=stack), "Workflow Config", value=value)


def test_of_two_that_create_the_same_entry_at_once_one_goes_and_names_both(local: Local) -> None:
    late = connect(local)
    late.vault.entries()  # it has looked before the other one creates
    first, _ = SCM.create_object(connect(local), scm(local, ONE))

    with pytest.raises(Refused, match=rf"created {first} at the same moment as this one created CREDENTIALS_VAULT-"):
        SCM.create_object(late, scm(local, OTHER))

    assert [one["id"] for one in named(local, "Sectigo SCM OAuth")] == [first]


def test_the_lower_id_stays_if_the_other_one_goes(local: Local) -> None:
    for _ in range(6):  # IDs are random
        first: list[str] = []
        late = connect(local, sleep=lambda _, ids=first: connect(local).vault.delete(ids[0]))
        late.vault.entries()
        first.append(SCM.create_object(connect(local), scm(local, ONE))[0])
        try:
            id, _ = SCM.create_object(late, scm(local, OTHER))
        except Refused as refusal:
            assert first[0] in str(refusal)
            assert [one["id"] for one in named(local, "Sectigo SCM OAuth")] == first
            connect(local).vault.delete(first[0])
        else:
            assert id < first[0]
            assert [one["id"] for one in named(local, "Sectigo SCM OAuth")] == [id]
            return
    raise AssertionError("six random IDs were higher than six others")


def test_what_another_stack_has_taken_over_is_neither_updated_nor_deleted(local: Local) -> None:
    id, _ = SCM.create_object(connect(local), scm(local, ONE))
    kept, _ = CONFIG.create_object(connect(local), config(local, ONE, "{}"))
    SCM.create_object(connect(local), scm(local, OTHER, formerStack=ONE))
    before = vault(local)

    with pytest.raises(Refused, match=rf"now belongs to Pulumi stack {OTHER}; this is {ONE}"):
        SCM.update_object(connect(local), id, scm(local, ONE), {**scm(local, ONE), "purpose": "Another."})
    with pytest.raises(Refused, match=rf"now belongs to Pulumi stack {OTHER}"):
        SCM.delete_object(connect(local), id, scm(local, ONE))
    with pytest.raises(Refused, match=rf"now belongs to Pulumi stack {OTHER}"):
        CONFIG.update_object(connect(local), kept, config(local, ONE, "{}"), config(local, ONE, '{"maxRetries": 9}'))
    assert vault(local) == before

    assert CONFIG.update_object(connect(local), kept, config(local, OTHER, "{}"), config(local, OTHER, "[]")) == {}


def test_a_kept_checkpoint_is_found_by_the_next_installation_of_the_same_stack_alone(local: Local) -> None:
    more = {"firstValue": "NONE", "workflow": "Sectigo SCM Integration", "missed": ""}
    kept, _ = STATE.create_object(connect(local), entry(place(local, stack=ONE), "Checkpoint", **more))

    assert STATE.create_object(connect(local), entry(place(local, stack=OTHER), "Checkpoint", **more))[0] == kept
    with pytest.raises(Refused, match=rf"belongs to Pulumi stack {ONE}; this is p/prod#3"):
        STATE.create_object(connect(local), entry(place(local, stack="p/prod#33333333"), "Checkpoint", **more))


def test_an_entry_of_another_user_is_refused_with_the_token_to_use(local: Local) -> None:
    id, _ = TOKEN.create_object(connect(local), entry(place(local), "Entry", token="t", ownerAccessOnly=True))
    theirs = new_token(local, *TOKEN_SCOPES, owner=MARA["email"])
    assert local.call("GET", f"/api/v2/credentials/{id}", headers=with_token(theirs)).status_code == 403

    with pytest.raises(ApiError, match=r"belong to another user.*Deploy with a token of the entry's owner"):
        TOKEN.delete_object(connect(local, api_token=theirs), id, entry(place(local), "Entry", token="t"))
