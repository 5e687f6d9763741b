"""The setup: what it needs, which Python it uses, what it installs for which goal, and that it does nothing twice."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev import ROOT
from dev.tests.files import executable
from dev.toolchain import machine, packages, setup, steps
from dev.toolchain.progress import Progress, Step
from dev.toolchain.stamps import Stamps


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("3.260.0-dev.0", (3, 260, 0)),
        ("v3.220.0+meta", (3, 220, 0)),
        ("go1.26.8", (1, 26, 8)),
        ("go1.27rc1", (1, 27)),
        ("", ()),
        ("no version", ()),
    ],
)
def test_a_version_is_compared_by_its_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers == machine.version_numbers(text)


def test_ten_is_newer_than_nine() -> None:
    assert machine.version_numbers("v3.1000.0") > machine.version_numbers("v3.999.9")


def test_everything_missing_is_named_at_once() -> None:
    found = machine.missing(which=lambda name: None, has_module=lambda name: False)

    assert found[0] == "git"
    assert "ensurepip" in found[1] and "-venv" in found[1]
    assert len(found) == 2


def test_a_complete_machine_misses_nothing() -> None:
    assert machine.missing(which=lambda name: f"/bin/{name}", has_module=lambda name: True) == []


def test_the_cache_follows_xdg(tmp_path: Path) -> None:
    assert tmp_path / "sectigo-dynatrace" == machine.cache_folder({"XDG_CACHE_HOME": str(tmp_path)})
    assert Path.home() / ".cache" / "sectigo-dynatrace" == machine.cache_folder({})
    assert Path.home() / ".cache" / "sectigo-dynatrace" == machine.cache_folder({"XDG_CACHE_HOME": "relative"})


SHIM = "#!/bin/sh\necho 'pyenv: version `3.99.9` is not installed' >&2\nexit 127\n"
OLD = "#!/bin/sh\nexit 1\n"
"""Fails on the code that compares versions."""


def chosen(path: list[Path], folder: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    """Run setup.sh with these folders as PATH, in a folder without .venv."""
    command = ["/bin/sh", str(ROOT / "dev" / "toolchain" / "setup.sh"), "up"]
    environment = {"PATH": os.pathsep.join(map(str, path)), "PYTHON": python}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def good(path: Path) -> Path:
    return executable(path, f'#!/bin/sh\ncase "$1" in -m) echo "{path} $*" ;; esac\n')


def test_a_shim_of_a_missing_python_is_passed_over(tmp_path: Path) -> None:
    shims, system = tmp_path / "shims", tmp_path / "system"
    for name in ("python3", "python3.11"):
        executable(shims / name, SHIM)
    python = good(system / "python3")

    assert chosen([shims, system], tmp_path).stdout == f"{python} -m dev.toolchain.setup up\n"


def test_an_old_python3_is_passed_over_for_the_newest_that_works(tmp_path: Path) -> None:
    executable(tmp_path / "python3", OLD)
    executable(tmp_path / "python3.14", SHIM)
    python = good(tmp_path / "python3.13")
    good(tmp_path / "python3.11")

    assert chosen([tmp_path], tmp_path).stdout == f"{python} -m dev.toolchain.setup up\n"


def test_an_environment_that_works_is_taken_before_path(tmp_path: Path) -> None:
    good(tmp_path / ".venv" / "bin" / "python")
    python = good(tmp_path / "python3")

    assert chosen([tmp_path], tmp_path).stdout == ".venv/bin/python -m dev.toolchain.setup up\n".replace(
        ".venv", f"{tmp_path}/.venv"
    )
    executable(tmp_path / ".venv" / "bin" / "python", SHIM)
    assert chosen([tmp_path], tmp_path).stdout == f"{python} -m dev.toolchain.setup up\n"


def test_a_python_that_is_named_is_the_only_candidate(tmp_path: Path) -> None:
    good(tmp_path / "python3")
    named = good(tmp_path / "mine" / "python")

    assert chosen([tmp_path], tmp_path, str(named)).stdout == f"{named} -m dev.toolchain.setup up\n"
    assert chosen([tmp_path], tmp_path, "no-such-python").returncode == 1


def test_a_python_without_venv_is_taken_if_no_other_has_it(tmp_path: Path) -> None:
    """It says itself what its system lacks."""
    bare = '#!/bin/sh\ncase "$2" in *venv*) exit 1 ;; esac\ncase "$1" in -m) echo bare ;; esac\n'
    executable(tmp_path / "python3", bare)

    assert chosen([tmp_path], tmp_path).stdout == "bare\n"

    python = good(tmp_path / "python3.12")
    assert chosen([tmp_path], tmp_path).stdout == f"{python} -m dev.toolchain.setup up\n"


def test_without_a_working_python_one_line_says_what_is_needed(tmp_path: Path) -> None:
    executable(tmp_path / "python3", SHIM)

    done = chosen([tmp_path], tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("setup: no working Python 3.11 or newer found")
    assert done.stderr.count("\n") == 1


# what is installed


def test_a_set_of_packages_makes_the_sets_it_includes_fresh_but_not_larger_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(packages, "usable_venv", lambda: True)
    monkeypatch.setattr(packages, "install_packages", lambda step, wanted: installed.append(wanted))
    progress, stamps = Progress(io.StringIO(), terminal=False), Stamps(tmp_path)

    def due(wanted: str) -> bool:
        return not steps.Setup(progress, stamps, tmp_path, wanted).python_done()

    steps.Setup(progress, stamps, tmp_path, "up").python()

    assert installed == ["up"]
    assert [name for name in packages.LOCKS if due(name)] == ["test", "browser"]


def test_an_interrupted_installation_is_due_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(step: Step, wanted: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packages, "usable_venv", lambda: True)
    monkeypatch.setattr(packages, "install_packages", lambda step, wanted: None)
    setup = steps.Setup(Progress(io.StringIO(), terminal=False), Stamps(tmp_path), tmp_path, "up")
    setup.python()
    monkeypatch.setattr(packages, "install_packages", interrupted)

    with pytest.raises(KeyboardInterrupt):
        setup.python()

    assert not setup.python_done()


def test_an_unknown_set_is_refused_with_the_names_of_the_sets(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main(["all"]) == 2
    assert capsys.readouterr().err == "setup: expected one of deploy, up, test, browser\n"


# the real thing

NOTHING_STARTED = """
import sys
starts = ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "socket.connect")
sys.addaudithook(lambda event, details: event in starts and sys.exit(f"{event} {details[:2]}"))
from dev.toolchain.setup import main
sys.exit(main())
"""


@pytest.fixture
def as_set_up() -> None:
    if not steps.Setup(Progress(), Stamps(steps.FOLDER), machine.cache_folder()).done():
        pytest.skip("this working copy was not set up by `make setup`")


@pytest.mark.usefixtures("as_set_up")
def test_a_finished_setup_starts_no_process_and_no_connection_and_says_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_STARTED], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
