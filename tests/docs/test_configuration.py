"""Program, Pulumi.yaml and docs/configuration.md agree on every config key: name, type, default, secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from providers.configuration import KEYS, SCM_TOKEN_URL
from tests import ROOT

SCHEMA = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "configuration.md").read_text()
TABLE = {key: (kind, default.strip("`")) for key, kind, default, _ in ROW.findall(PAGE)}
SHOWN = {"logIngestToken": "the API token", "scmTokenUrl": "Sectigo's SSO"}
"""Defaults that the table tells in words."""


def test_all_three_name_the_same_keys_in_the_same_order() -> None:
    assert list(SCHEMA) == list(KEYS)
    assert list(TABLE) == list(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_type_default_and_secrecy_agree(key: str) -> None:
    # Pulumi would stop at the first missing key, and at the first secret in plaintext; the program names all of them.
    assert "secret" not in SCHEMA[key] and SCHEMA[key]["description"]
    rule, declared, (kind, shown) = KEYS[key], SCHEMA[key], TABLE[key]
    assert kind == ("secret" if rule.secret else declared["type"])
    default = declared.get("default")
    if rule.default is None:
        assert default == "" and shown == "required"
        return
    text = {True: "true", False: "false"}.get(default, str(default)) if isinstance(default, bool) else str(default)
    assert text == rule.default
    assert shown in (SHOWN.get(key, rule.default), *(("empty", "derived") if rule.default == "" else ()))
    rule.rule(rule.default)


def test_the_token_endpoint_that_the_table_calls_sectigos_is_the_default() -> None:
    assert KEYS["scmTokenUrl"].default == SCM_TOKEN_URL
    assert ".sectigo.com/" in SCM_TOKEN_URL


@pytest.mark.parametrize("file", sorted(ROOT.glob("docs/examples/**/Pulumi.*.yaml")), ids=lambda file: file.name)
def test_examples_know_every_key_hold_no_secret_and_miss_only_secrets(file: Path) -> None:
    config = yaml.safe_load(file.read_text())["config"]
    keys = {name.removeprefix("sectigo-dynatrace:") for name in config}
    assert keys <= set(KEYS)
    assert not any(KEYS[key].secret for key in keys)
    required = {key for key, rule in KEYS.items() if rule.default is None}
    assert required - keys == {key for key in required if KEYS[key].secret}
