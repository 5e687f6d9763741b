"""The lock files: complete, hashed, without addresses, and consistent with each other."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from dev import ROOT
from dev.toolchain import engine_build, packages

LOCKS = [*packages.LOCKS.values(), packages.REQUIREMENTS_UV]


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_requirements_are_pinned_and_hashed_and_contain_no_address(file: Path) -> None:
    text = file.read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]

    assert [entry.splitlines()[0] for entry in entries if not packages.PIN.match(entry)] == []
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"^-.*|\S+://\S+| @ \S+|\s/\S+", text, re.MULTILINE) == []


def test_no_package_is_in_two_sets() -> None:
    names = [name for lock in LOCKS for name in packages.pins(lock)]

    assert sorted(names) == sorted(set(names))


def asked(file: Path, *extras: str) -> set[str]:
    """What a pyproject.toml asks for, by normalized name."""
    project = tomllib.loads(file.read_text())["project"]
    more = [name for extra in extras for name in project["optional-dependencies"][extra]]
    return {
        re.sub(r"[-_.]+", "-", re.split(r"[\s<>=\[;]", name)[0]).lower() for name in [*project["dependencies"], *more]
    }


@pytest.mark.parametrize("wanted", packages.LOCKS)
def test_a_set_contains_what_pyproject_asks_for(wanted: str) -> None:
    extras = [name for name in packages.smaller(wanted) if name != "deploy"]
    needed = asked(ROOT / "pyproject.toml", *extras)
    if extras:
        needed |= asked(packages.SIMULATOR / "pyproject.toml")

    assert needed - packages.pins(*packages.locks(wanted)).keys() == set()


def test_a_deployment_installs_nothing_of_the_local_environment() -> None:
    simulator = asked(packages.SIMULATOR / "pyproject.toml") - asked(ROOT / "pyproject.toml")

    assert simulator and simulator & packages.pins(packages.LOCKS["deploy"]).keys() == set()


@pytest.mark.parametrize("folder", [packages.JAVASCRIPT, packages.JAVASCRIPT_TESTS], ids=["SDK", "tests"])
def test_javascript_packages_are_locked_by_content_and_name_no_place(folder: Path) -> None:
    text = (folder / "deno.lock").read_text()
    lock = json.loads(text)
    asked = json.loads((folder / "package.json").read_text())["dependencies"]

    assert "://" not in text
    assert all(entry["integrity"].startswith("sha512-") for entry in lock["npm"].values())
    assert {f"npm:{name}@{version}": version for name, version in asked.items()} == lock["specifiers"]


def test_engine_modules_name_no_place() -> None:
    for file in engine_build.MODULES.glob("*/go.*"):
        assert "://" not in file.read_text()


def test_both_engine_modules_ask_for_the_same_go() -> None:
    found = [
        re.findall(r"^go (\S+)$", file.read_text(), re.MULTILINE) for file in engine_build.MODULES.glob("*/go.mod")
    ]

    assert [[engine_build.go_needed()]] * 2 == found
