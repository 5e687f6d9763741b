"""From the vendor's script to a stack: its config.yaml, its objects, its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import ACCOUNT, CLIENT, DEPLOY_TOKEN, SEED
from operations import vendor_config
from operations.stack import StackError
from providers.configuration import KEYS, is_needed
from tests import ROOT
from tests.engine import inside, vendor
from tests.operations.conftest import Operated

MANUAL_SAMPLE = """
# Dynatrace Configuration
dynatrace_api_token: "dt0c01.YOUR_TOKEN_HERE"
dynatrace_environment_url: "https://YOUR_ENV.live.dynatrace.com"
scm_api_url: "https://audit.demo.sectigo.com"
sectigo_client_id: "YOUR_SECTIGO_CLIENT_ID"
sectigo_client_secret: "YOUR_SECTIGO_CLIENT_SECRET"
max_retries: 3
max_execution_time_minutes: 55
init_history_duration: "2h"
initial_checkpoint: ""
trigger_interval_minutes: 10
trigger_enabled: true
"""


def test_the_vendors_installation_becomes_a_stack_in_three_commands(
    prepare: Callable[..., Operated], local: Local, tmp_path: Path
) -> None:
    ids = vendor.install(local)
    before = inside.names(local)
    stack = empty(prepare("prod"))
    file = tmp_path / "config.yaml"
    scm = SEED["scm_clients"][0]
    given = {
        "dynatrace_api_token": DEPLOY_TOKEN,
        "dynatrace_environment_url": f"{local.url}/",
        "oauth_client_id": CLIENT["id"],
        "oauth_client_secret": CLIENT["secret"],
        "account_urn": ACCOUNT,
        "scm_api_url": "https://audit.demo.sectigo.com/",
        "sectigo_client_id": scm["id"],
        "sectigo_client_secret": scm["secret"],
        "max_retries": 5,
        "init_history_duration": "1h",
        "initial_checkpoint": "2026-01-01T00:00:00Z",
        "trigger_interval_minutes": 2,
        "trigger_enabled": True,
    }
    file.write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")

    imported = stack.operate("import-config", "--file", str(file))
    stack.configure(ssoTokenUrl=f"{local.url}/sso/oauth2/token")
    adopted = stack.operate("adopt", "--write")
    done = stack.up()

    assert "Not imported: initial_checkpoint 2026-01-01T00:00:00Z" in imported.text
    assert "initialCheckpoint" not in adopted.text
    assert "[secret]" in imported.text and "delete it after a successful" in imported.text
    stored = stack.file.read_text()
    for secret in (DEPLOY_TOKEN, CLIENT["secret"], scm["secret"]):
        assert secret not in imported.text + adopted.text + stored
    assert yaml.safe_load(stored)["config"]["sectigo-dynatrace:maxRetries"] in ("5", 5)
    outputs = stack.outputs
    assert outputs["workflowId"] == ids["workflow"]
    assert outputs["checkpointCredentialId"] == ids["checkpoint"]
    assert outputs["logIngestCredentialId"] == ids["logIngest"]
    assert inside.names(local).total() == before.total(), "nothing was made twice"
    assert "Checkpoint: 2026-01-29T09:44:11.611092Z|9d3cd09c" in done.text, "it goes on where the vendor's stood"
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}

    # The runtime config is written again, as it is when one of its keys changes: the old date is not in it.
    stack.configure(maxRetries=4)
    stack.up()
    assert json.loads(inside.value(local, ids["workflowConfig"])) == {"maxRetries": 4, "initHistoryDuration": "1h"}


def test_what_cannot_be_found_or_chosen_is_said_and_nothing_is_guessed(
    prepare: Callable[..., Operated], local: Local
) -> None:
    vendor.install(local)
    vendor.install(local)
    stack = prepare(initialCheckpoint="2026-01-01T00:00:00Z")

    done = stack.operate("adopt", "--write", check=False)

    assert done.code == 1
    assert "checkpoint      several: Sectigo SCM Checkpoint (CREDENTIALS_VAULT-" in done.text
    assert "adopt" not in stack.file.read_text()
    assert "initialCheckpoint is set to 2026-01-01T00:00:00Z" in done.text
    assert "pulumi config rm initialCheckpoint --stack test" in done.text


def empty(stack: Operated) -> Operated:
    """Without any config: the file that `pulumi stack init` would leave."""
    content = yaml.safe_load(stack.file.read_text())
    stack.file.write_text(yaml.safe_dump({"encryptionsalt": content["encryptionsalt"]}))
    return stack


# --- the file alone --------------------------------------------------------------------------------------------------


def reading(tmp_path: Path, text: str) -> vendor_config.Reading:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return vendor_config.read(file)


def test_the_manuals_sample_as_it_stands_gives_its_settings_and_names_what_is_missing(tmp_path: Path) -> None:
    found = reading(tmp_path, MANUAL_SAMPLE)

    assert found.problems == []
    assert found.values == {
        "scmApiUrl": "https://audit.demo.sectigo.com",
        "maxRetries": "3",
        "maxExecutionTimeMinutes": "55",
        "initHistoryDuration": "2h",
        "triggerIntervalMinutes": "10",
        "triggerEnabled": "true",
    }
    assert set(found.missing) == {
        "dynatraceApiToken", "dynatraceEnvironmentUrl", "sectigoClientId", "sectigoClientSecret",
        "oauthClientId", "oauthClientSecret", "accountUrn",
    }  # fmt: skip


def test_the_initial_checkpoint_is_read_and_not_taken(tmp_path: Path) -> None:
    found = reading(tmp_path, "initial_checkpoint: 2026-01-22T12:00:00Z\n")

    assert (found.values, found.problems) == ({}, [])
    assert found.initial_checkpoint == "2026-01-22T12:00:00Z"


def test_every_required_key_has_a_name_in_the_vendors_file() -> None:
    required = {key for key in KEYS if is_needed(key)}
    assert required <= set(vendor_config.NAMES.values()) <= set(KEYS)


def test_all_problems_are_reported_at_once_and_no_value_of_a_secret(tmp_path: Path) -> None:
    found = reading(tmp_path, "dynatrace_api_token: not-a-token\nmax_retries: many\ninterval: 5\n")

    assert found.problems == [
        "dynatrace_api_token: must start with dt0c01. and contain no spaces",
        "max_retries: must be an integer from 0 to 10",
        "interval: unknown key; it is not in the vendor's config.yaml",
    ]


@pytest.mark.parametrize("text", ['sectigo_client_secret: =Local!]not[a=secret$"\n  x: [', "just text", ""])
def test_a_file_that_is_none_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(StackError) as refused:
        reading(tmp_path, text)
    assert "not[a=secret" not in str(refused.value)


def test_the_wizard_of_pulumi_new_offers_a_stack_that_runs_as_it_is() -> None:
    """``pulumi new`` asks for the template's keys; its defaults are the local environment's."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    asked = project["template"]["config"]
    dev = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    required = [key for key in KEYS if is_needed(key)]
    assert list(asked)[: len(required)] == required
    for key, entry in asked.items():
        assert bool(entry.get("secret")) == KEYS[key].secret, key
        value = dev[f"sectigo-dynatrace:{key}"]
        if not KEYS[key].secret:
            assert entry["default"] == value, key
        KEYS[key].rule(entry["default"])
