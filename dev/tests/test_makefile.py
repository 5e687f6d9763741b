"""The Makefile: what its goals run, in which environment, and what they install first."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dev import ROOT
from dev.tests.files import executable


def targets() -> list[str]:
    return re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_make_alone_lists_every_command_in_three_groups() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony == targets()
    assert phony == re.findall(r"^  make (\S+) +\S", listed, re.MULTILINE)
    groups = [re.findall(r"^  make (\S+)", group, re.MULTILINE) for group in listed.split("\n\n")]
    assert [len(groups), groups[0], groups[1][0], groups[2][0], groups[3][0]] == [4, ["help"], "up", "deploy", "setup"]


PATH = os.environ.get("PATH", os.defpath)
NOTHING = shutil.which("true") or "true"


@pytest.fixture
def copied_makefile(tmp_path: Path) -> Path:
    """The Makefile alone in a folder, with tools that print how they were called."""
    for name in ("Makefile", "dev/toolchain/setup.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("python", "pulumi"):
        script = f'#!/bin/sh\necho "{name} $* | $PULUMI_CONFIG_PASSPHRASE $PULUMI_BACKEND_URL $PULUMI_HOME | $PATH"\n'
        executable(tmp_path / ".venv" / "bin" / name, script)
    (tmp_path / ".local" / "setup").mkdir(parents=True)
    return tmp_path


def make(folder: Path, target: str, set_up: str = NOTHING) -> list[str]:
    """What a command prints; ``set_up`` runs in place of Python's setup, by default there is nothing to do."""
    theirs = {"PULUMI_CONFIG_PASSPHRASE": "mine", "PULUMI_BACKEND_URL": "https://theirs.example", "PULUMI_HOME": "/x"}
    command = ["make", target, f"PYTHON={set_up}"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, env={**os.environ, **theirs, "PATH": PATH}
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("target", ["up", "preview", "destroy"])
def test_the_dev_stack_uses_its_own_passphrase_and_backend_whatever_the_user_has(
    target: str, copied_makefile: Path
) -> None:
    local = copied_makefile / ".local"
    calls = [line.split(" | ") for line in make(copied_makefile, target) if line.startswith("pulumi ")]

    assert calls
    assert {f"local file://{local}/state {local}/pulumi-home"} == {environment for _, environment, _ in calls}
    assert (local / "state").is_dir()


def test_up_starts_the_local_environment_deploys_and_shows_the_result(copied_makefile: Path) -> None:
    assert [line.split(" | ")[0] for line in make(copied_makefile, "up")] == [
        "python -m local_dynatrace start",
        "pulumi stack select dev --create --non-interactive",
        "pulumi up --yes --skip-preview --non-interactive --suppress-progress --suppress-outputs --stack dev",
        "python -m operations summary --stack dev",
    ]


@pytest.mark.parametrize("engine", ["", "/cache/engine/v3"])
def test_the_environment_and_the_chosen_engine_come_first_on_path(engine: str, copied_makefile: Path) -> None:
    (copied_makefile / ".local" / "setup" / "engine-path").write_text(f"{engine}\n")
    ours = [f"{copied_makefile}/.venv/bin", *([engine] if engine else [])]

    line = make(copied_makefile, "logs")[0]

    assert [*ours, *PATH.split(":")] == line.split(" | ")[2].split(":")


def test_the_setup_looks_for_an_engine_on_the_users_own_path_only(copied_makefile: Path) -> None:
    (copied_makefile / ".local" / "setup" / "engine-path").write_text("/moved/cache/engine/v3\n")
    executable(copied_makefile / "setup", '#!/bin/sh\necho "setup sees $PATH"\n')

    assert f"setup sees {PATH}" in make(copied_makefile, "logs", str(copied_makefile / "setup"))


@pytest.mark.parametrize(
    ("target", "wanted"), [("up", "up"), ("deploy", "deploy"), ("plan", "deploy"), ("quick", "test")]
)
def test_a_goal_installs_only_what_it_needs(target: str, wanted: str, copied_makefile: Path) -> None:
    executable(copied_makefile / "setup", '#!/bin/sh\necho "setup $*"\n')

    first = make(copied_makefile, target, str(copied_makefile / "setup"))[0]

    assert first == f"setup -m dev.toolchain.setup {wanted}"


@pytest.mark.parametrize(
    "given", [{}, {"no_proxy": "corp.example"}, {"no_grpc_proxy": "grpc.example", "no_proxy": "x"}]
)
def test_no_goal_that_runs_pulumi_lets_grpc_use_a_proxy_on_loopback(
    given: dict[str, str], copied_makefile: Path
) -> None:
    script = '#!/bin/sh\necho "$0 $* | $no_grpc_proxy"\n'
    for name in ("python", "pulumi"):
        executable(copied_makefile / ".venv" / "bin" / name, script)
    theirs = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    kept = given.get("no_grpc_proxy") or given.get("no_proxy")

    for target in ("up", "preview", "logs", "shell", "destroy", "deploy", "plan", "status", "doctor", "preview-pr"):
        done = subprocess.run(
            ["make", target, f"PYTHON={NOTHING}", "ARGS="],
            cwd=copied_makefile, capture_output=True, text=True, check=True, input="",
            env={**theirs, "https_proxy": "http://proxy.example:3128", "SHELL": NOTHING, "PATH": PATH, **given},
        )  # fmt: skip
        seen = {line.split(" | ")[1] for line in done.stdout.splitlines() if " | " in line}
        assert seen == {"127.0.0.1,localhost,::1" + (f",{kept}" if kept else "")}, target


def test_a_shell_runs_plain_commands_on_the_dev_stack_and_hands_on_nothing_of_make(copied_makefile: Path) -> None:
    command = ["make", "shell", f"PYTHON={NOTHING}", "ARGS=env"]
    done = subprocess.run(
        command, cwd=copied_makefile, capture_output=True, text=True, check=True, env={**os.environ, "PATH": PATH}
    )

    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line and " | " not in line)
    assert seen["PULUMI_BACKEND_URL"] == f"file://{copied_makefile}/.local/state"
    assert seen["PULUMI_CONFIG_PASSPHRASE"] == "local"
    assert not {"MAKEFLAGS", "ARGS", "MAKELEVEL"} & set(seen), "a make inside is one of its own"
