"""A stack's state names provider classes by module and class: an old state must find them for refresh and destroy."""

from __future__ import annotations

import base64
import importlib
import pickle

import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

NAMES = {
    "providers.allowlist": ["OutboundAllowlistProvider"],
    "providers.credential": [
        "UserCredentialProvider",
        "TokenCredentialProvider",
        "StateCredentialProvider",
        "ConfigCredentialProvider",
    ],
    "providers.workflow": ["WorkflowProvider"],
    "providers.workflow_run": ["WorkflowRunProvider"],
}
CLASSES = [(module, name) for module, names in NAMES.items() for name in names]


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_what_a_stack_has_stored_is_found_again(module: str, name: str) -> None:
    # How dill names a class in a module and makes an instance without state: a state of any age holds this.
    stored = b"\x80\x04" + f"c{module}\n{name}\n".encode() + b")\x81}b."

    provider = pickle.loads(stored)

    assert isinstance(provider, ResourceProvider)


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_a_provider_is_stored_by_name_alone(module: str, name: str) -> None:
    provider = getattr(importlib.import_module(module), name)()

    stored = base64.b64decode(serialize_provider(provider))

    assert module.encode() in stored
    assert name.encode() in stored
    assert len(stored) < 120, "code or values of an instance would make it long, and change with every edit"
