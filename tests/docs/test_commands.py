"""Every command that the documentation names exists, and every command that exists is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from local_dynatrace.__main__ import parser as simulator
from operations.__main__ import COMMANDS
from operations.__main__ import parser as operations
from tests import ROOT
from tests.docs.pages import PAGES, code, name

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_documented_make_target_exists(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])make ([a-z][a-z-]*)", code(page)))
    assert named <= TARGETS, f"{name(page)} names {', '.join(sorted(named - TARGETS))}"


def test_every_make_target_is_documented() -> None:
    documented = set(re.findall(r"(?<![\w-])make ([a-z][a-z-]*)", "\n".join(map(code, PAGES))))
    assert documented >= TARGETS, f"nowhere named: {', '.join(sorted(TARGETS - documented))}"


def test_every_operation_has_a_target_of_its_name() -> None:
    without = {"summary"}  # the end of `make up`
    assert set(COMMANDS) - without <= TARGETS


def test_the_variables_that_targets_take_are_those_of_their_commands() -> None:
    for target, variables in re.findall(r"^([a-z-]+): for-\w+ ## [^\n(]*\(([^)]*)\)\n", MAKEFILE, re.MULTILINE):
        for variable in re.findall(r"\b([A-Z]+)=", variables):
            recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
            assert recipe
            assert f"$({variable})" in recipe[1].replace("$(ask)", "$(STACK)"), f"{target} promises {variable}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_documented_module_commands_exist_with_their_options(page: Path) -> None:
    for package, parser in (("operations", operations()), ("local_dynatrace", simulator())):
        subcommands = parser._subparsers._group_actions[0].choices  # type: ignore[union-attr]
        for command, rest in re.findall(rf"python -m {package} ([a-z][a-z-]*)([^\n`]*)", code(page)):
            assert command in subcommands, f"{name(page)}: python -m {package} {command}"
            for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
                known = subcommands[command].format_help()
                assert option in known, f"{name(page)}: {package} {command} has no {option}"


def test_every_soak_and_bench_command_in_the_makefile_is_a_module() -> None:
    for module in re.findall(r"python -m ([a-z_.]+)", MAKEFILE):
        folder = ROOT / "simulator" if module.startswith("local_") else ROOT
        path = folder / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_the_issue_and_pull_request_jobs_run_make_targets_only() -> None:
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            for step in job["steps"]:
                if "run" not in step:
                    continue
                words = step["run"].split()
                assert words[0] in ("make", ".ci/run"), f"{file.name}: {step['run']}"
                assert words[0] != "make" or words[1] in TARGETS, f"{file.name}: {step['run']}"
