"""The names in a provider's tables are those of the properties that it shares with its resource."""

from __future__ import annotations

import importlib
from typing import Any, get_args

import pytest

from providers.api.scopes import AUTOMATION_SCOPES, DEPLOY_SCOPES, INGEST_SCOPES, TABLE
from providers.configuration import Properties
from providers.lifecycle import ObjectProvider
from providers.parts import CREDENTIALS, PARTS
from tests import ROOT
from tests.unit.test_state_names import discovered
from workflow_src.render import PARAMETERS_LINE, script_template

NOT_STORED = {"access"}
"""Drift that no input has: an entry closed to scripts."""


def properties_of(kind: type) -> dict[str, Any]:
    for base in getattr(kind, "__orig_bases__", ()):
        for argument in get_args(base):
            if isinstance(argument, type) and hasattr(argument, "__total__"):
                return dict(argument.__annotations__)
    raise AssertionError(f"{kind.__name__} names no properties")


@pytest.mark.parametrize(("module", "name"), discovered())
def test_a_providers_tables_name_properties(module: str, name: str) -> None:
    kind: type[ObjectProvider[Any]] = getattr(importlib.import_module(module), name)
    known = {*properties_of(kind), *Properties.__annotations__}

    assert {*kind.compared, *kind.fixed, *kind.outputs} - NOT_STORED <= known
    assert not {*kind.compared} & {*kind.outputs}


@pytest.mark.parametrize(("module", "name"), discovered())
def test_each_resource_declares_what_it_needs(module: str, name: str) -> None:
    kind: type[ObjectProvider[Any]] = getattr(importlib.import_module(module), name)

    assert kind.needs
    assert set(kind.needs) <= set(TABLE)


def test_what_the_resources_need_is_what_is_required() -> None:
    kinds = [getattr(importlib.import_module(module), name) for module, name in discovered()]
    needed = {need for kind in kinds for need in kind.needs}

    assert {need for need in needed if need.required} == {need for need in TABLE if need.required}
    assert {*DEPLOY_SCOPES, *INGEST_SCOPES, *AUTOMATION_SCOPES} <= {need.scope for need in needed}, "the preflight"


def test_the_table_of_parts_names_what_script_and_pulumi_yaml_name() -> None:
    parameters = PARAMETERS_LINE.findall(script_template())[0]
    adopt = (ROOT / "Pulumi.yaml").read_text().split("\n  adopt:")[1].split("\n#")[0]

    assert all(f'"{part.parameter}":' in parameters for part in CREDENTIALS)
    assert [part.key for part in PARTS] == adopt.rsplit("by ", 1)[1].strip().split(", ")
    assert len({part.output for part in PARTS}) == len(PARTS)
