"""The wheel holds what it needs, serves from any folder, and runs scripts with modules from the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.flows import play

from . import ROOT

PROJECT = ROOT / "simulator"
UV = Path(sys.executable).with_name("uv")
SCRIPT = """import { executionsClient } from "@dynatrace-sdk/client-automation";
export default () => typeof executionsClient.getExecution;"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def from_wheel(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Processes started now import the wheel's packages; returns their empty cache folder."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    # What Deno has downloaded stays where the setup put it; only the installed modules are new.
    monkeypatch.setenv("DENO_DIR", os.environ.get("DENO_DIR") or str(Path.home() / ".cache" / "deno"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "empty").mkdir()
    return tmp_path / "cache"


def test_it_holds_every_file_of_both_packages_and_no_module(wheel: Path) -> None:
    packages = (PROJECT / "local_dynatrace", PROJECT / "local_sectigo")
    skipped = {"node_modules", "__pycache__"}
    wanted = {
        str(file.relative_to(PROJECT))
        for package in packages
        for file in package.rglob("*")
        if file.is_file() and not skipped & {*file.parts}
    }

    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert held == wanted


@pytest.mark.slow
def test_it_serves_from_an_empty_folder_and_installs_the_modules_at_the_first_script(from_wheel: Path) -> None:
    local = Local(from_wheel.with_name("empty"))
    try:
        assert play(local, "export default () => 1;").result == 1
        assert not from_wheel.exists()  # a script without modules needs none

        assert play(local, SCRIPT).result == "function"
        assert local.call("GET", "/").status_code == 200
        assert local.call("GET", "/_sim/ui/connector").status_code == 200
    finally:
        local.close()

    assert [folder.name for folder in from_wheel.glob("local-dynatrace/sdk-*/*")] == ["node_modules"]


@pytest.mark.slow
def test_modules_that_cannot_be_installed_are_one_clear_line(from_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    monkeypatch.setenv("DENO_DIR", str(from_wheel.with_name("deno")))
    local = Local(from_wheel.with_name("empty"))
    try:
        ended = play(local, SCRIPT)
    finally:
        local.close()

    assert ended.state == "ERROR"
    assert ended.info is not None
    assert "The @dynatrace-sdk/* modules for scripts could not be installed: " in ended.info
    assert "NPM_CONFIG_REGISTRY" in ended.info and "\\n" not in ended.info
    assert list(from_wheel.glob("local-dynatrace/sdk-*/*")) == []


@pytest.mark.slow
def test_it_installs_into_an_empty_virtual_environment(wheel: Path, from_wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    install = [str(UV), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), str(wheel)]
    subprocess.run(install, env=env, check=True, capture_output=True)
    program = f"""
import sys
from pathlib import Path
from local_dynatrace.testing import Local, flows
local = Local(Path.cwd())
print(flows.play(local, {SCRIPT!r}).result)
local.close()
"""

    done = subprocess.run(
        [str(python), "-c", program], cwd=tmp_path / "empty", env=env, check=True, capture_output=True, text=True
    )

    assert done.stdout.strip() == "function"
    helped = subprocess.run(
        [str(python.with_name("local-dynatrace")), "--help"], env=env, check=True, text=True, capture_output=True
    )
    assert "serve|start|stop|status|coverage" in helped.stdout
