"""A stack's state names provider classes by module and class: an old state must find them for refresh and destroy."""

from __future__ import annotations

import base64
import importlib
import pickle
import pkgutil

import pytest
from pulumi.dynamic import ResourceProvider

import providers
from providers.lifecycle import ObjectProvider
from tests.unit.test_sdk_internals import stored

FIRST_RELEASE = [
    ("providers.allowlist", "OutboundAllowlistProvider"),
    ("providers.credential", "UserCredentialProvider"),
    ("providers.credential", "TokenCredentialProvider"),
    ("providers.credential", "StateCredentialProvider"),
    ("providers.credential", "ConfigCredentialProvider"),
    ("providers.workflow", "WorkflowProvider"),
    ("providers.workflow_run", "WorkflowRunProvider"),
]
"""What states of the first release hold. Nothing may ever vanish from here; add what a release has stored."""


def discovered() -> list[tuple[str, str]]:
    """Every provider class of today that a resource can have: those that subclasses build on are left out."""
    for module in pkgutil.walk_packages(providers.__path__, "providers."):
        importlib.import_module(module.name)
    found, ahead = [], [ObjectProvider]
    while ahead:
        kinds = ahead.pop().__subclasses__()
        ahead += kinds
        found += [(kind.__module__, kind.__name__) for kind in kinds if not kind.__subclasses__()]
    return sorted(found)


CLASSES = sorted({*FIRST_RELEASE, *discovered()})
MODULES = sorted({module for module, _ in CLASSES})


def test_the_classes_of_the_first_release_are_discovered() -> None:
    assert set(FIRST_RELEASE) <= set(discovered())


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_what_a_stack_has_stored_is_found_again(module: str, name: str) -> None:
    # How dill names a class in a module and makes an instance without state: a state of any age holds this.
    text = b"\x80\x04" + f"c{module}\n{name}\n".encode() + b")\x81}b."

    assert isinstance(pickle.loads(text), ResourceProvider)


@pytest.mark.parametrize(("module", "name"), CLASSES)
def test_a_provider_is_stored_by_name_alone(module: str, name: str) -> None:
    text = base64.b64decode(stored(getattr(importlib.import_module(module), name)()))

    assert module.encode() in text
    assert name.encode() in text
    assert len(text) < 120, "code or values of an instance would make it long, and change with every edit"
