"""Documents, config descriptions, the seed of the local environment and previews without secrets ask for the scopes of
the one table, ``providers/api/scopes.py``."""

from __future__ import annotations

import re

import pytest
import yaml

from local_dynatrace.seed import load
from operations import rehearsal
from providers.api.scopes import TABLE, Holder, scopes_of
from providers.configuration import KEYS
from tests import ROOT

SCOPE = re.compile(r"`([a-z-]+(?::[a-z.-]+){1,2}|(?:credentialVault|settings|logs)\.\w+)`")
ROWS: dict[Holder, str] = {
    "dynatraceApiToken": r"^`dynatraceApiToken`$",
    "logIngestToken": r"^`logIngestToken`$",
    "oauthClientId": r"^`oauthClientId`$",
    "actor": r"^the workflow's actor$",
    "oauthClientUser": r"^the (OAuth client's user|user of the OAuth client).*`workflowActor`",
}
"""First cell of each holder's row in docs/security.md."""
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
CONFIG = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))


def row_of(holder: Holder) -> tuple[str, str]:
    """The cells with what is required, and what is optional."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in SECURITY.splitlines() if line.startswith("|")]
    found = [row for row in cells if len(row) == 3 and re.search(ROWS[holder], row[0])]
    assert len(found) == 1, f"docs/security.md has {len(found)} rows of {holder}"
    return found[0][1], found[0][2]


@pytest.mark.parametrize("holder", ROWS)
def test_security_md_lists_what_each_holder_needs(holder: Holder) -> None:
    required, optional = row_of(holder)
    one_token = set(scopes_of("logIngestToken")) if holder == "dynatraceApiToken" else set()

    assert set(SCOPE.findall(required)) == {*scopes_of(holder), *one_token}
    assert set(SCOPE.findall(optional)) == set(scopes_of(holder, required=False))
    for need in TABLE:
        if need.holder == holder:
            assert all(f"`make {command}`" in optional for command in need.commands)


def test_all_holders_have_a_row_and_what_is_optional_says_what_is_skipped() -> None:
    assert {need.holder for need in TABLE} == set(ROWS)
    assert all(bool(need.without) is not need.required for need in TABLE)
    assert {need.when for need in TABLE} - {""} <= set(KEYS)


def test_the_policy_that_the_documents_show_allows_what_one_service_user_needs() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    policies = [block for page in pages for block in re.findall(r"```text\n(ALLOW .*?)```", page.read_text(), re.S)]

    assert policies
    for policy in policies:
        allowed = set(re.findall(r"[a-z-]+:[a-z.-]+(?::[a-z-]+)?", policy))
        assert allowed == {*scopes_of("actor", required=None), *scopes_of("oauthClientId", required=None)}


@pytest.mark.parametrize("key", ["dynatraceApiToken", "oauthClientId"])
def test_pulumi_yaml_names_the_scopes_of_each_credential(key: Holder) -> None:
    wanted = [*scopes_of(key), *(scopes_of("logIngestToken") if key == "dynatraceApiToken" else ())]

    for described in (CONFIG["config"][key]["description"], CONFIG["template"]["config"][key]["description"]):
        assert [scope for scope in wanted if scope not in described] == []


def test_the_seed_of_the_local_environment_grants_them() -> None:
    seed = load()
    deploy, ingest = (set(token["scopes"]) for token in seed["api_tokens"])
    client, user = set(seed["oauth_clients"][0]["scopes"]), set(seed["users"][0]["permissions"])

    assert deploy == {*scopes_of("dynatraceApiToken"), *scopes_of("logIngestToken")}
    assert ingest == set(scopes_of("logIngestToken"))
    assert client >= set(scopes_of("oauthClientId", required=None))
    assert user >= client & set(scopes_of("oauthClientId", required=None))
    assert user >= {*scopes_of("actor", required=None), *scopes_of("oauthClientUser")}


def test_a_preview_without_secrets_grants_what_a_deployment_with_every_feature_needs() -> None:
    holders: tuple[Holder, ...] = ("actor", "oauthClientId", "oauthClientUser")
    permitted = {scope for holder in holders for scope in scopes_of(holder, required=None)}

    assert set(rehearsal.PERMISSIONS) == permitted
