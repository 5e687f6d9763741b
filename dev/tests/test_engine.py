"""The Pulumi engine: which one is used, in which order they are tried, and how a build behaves."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from dev.tests.files import executable
from dev.toolchain import engine_build, engine_search
from dev.toolchain.engine_search import Engine, choose
from dev.toolchain.errors import SetupError
from dev.toolchain.progress import Progress, Step


def engine(version: str = "v3.300.0") -> Engine:
    return Engine(version, None, "for this test")


def test_the_first_engine_found_is_taken_and_later_ways_are_not_tried() -> None:
    def never() -> Engine | str:
        raise AssertionError("tried although an engine had been found")

    assert engine() == choose([lambda: "no pulumi on PATH", engine, never])


def test_without_an_engine_the_error_names_what_was_tried_and_the_installation_page() -> None:
    with pytest.raises(SetupError) as raised:
        choose([lambda: "no pulumi on PATH", lambda: "", lambda: "no Go on PATH to build it with"])

    text = str(raised.value)
    assert "  - no pulumi on PATH\n  - no Go on PATH to build it with\n" in text
    assert "https://www.pulumi.com/docs/install/" in text


def test_an_installed_pulumi_that_is_new_enough_is_used(only_path: Path, tmp_path: Path) -> None:
    executable(only_path / "pulumi", "#!/bin/sh\necho v3.300.0\n")
    executable(only_path / "pulumi-language-python", "#!/bin/sh\n")

    assert Engine("v3.300.0", None, "installed on this machine") == engine_search.on_path(tmp_path / "cache")


def test_an_installed_pulumi_that_is_too_old_is_reported_and_left_alone(only_path: Path, tmp_path: Path) -> None:
    executable(only_path / "pulumi", "#!/bin/sh\necho v3.100.2\n")

    found = engine_search.on_path(tmp_path / "cache")

    assert found == "pulumi on PATH says v3.100.2; 3.220.0 or newer is needed"


def test_a_pulumi_without_its_language_host_is_not_used(only_path: Path, tmp_path: Path) -> None:
    executable(only_path / "pulumi", "#!/bin/sh\necho v3.300.0\n")

    assert engine_search.on_path(tmp_path / "cache") == "pulumi v3.300.0 on PATH lacks its Python language host"


def test_our_own_engine_on_path_is_not_taken_for_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    executable(cache / "engine" / "v3" / "pulumi", "#!/bin/sh\necho v3.300.0\n")
    monkeypatch.setenv("PATH", str(cache / "engine" / "v3"))

    assert engine_search.on_path(cache) == "no pulumi on PATH"


def test_a_finished_build_in_the_cache_is_found_and_a_half_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / engine_build.folder_name()
    for name in engine_build.EXECUTABLES[:-1]:
        executable(folder / name, "")

    assert engine_search.in_cache(tmp_path) == ""

    executable(folder / engine_build.EXECUTABLES[-1], "")

    found = engine_search.in_cache(tmp_path)
    assert isinstance(found, Engine)
    assert folder == found.folder


def test_the_official_engine_is_preferred_to_our_build(tmp_path: Path) -> None:
    for folder in (tmp_path / engine_build.folder_name(), engine_search.official_folder(tmp_path)):
        for name in engine_build.EXECUTABLES:
            executable(folder / name, "")

    found = engine_search.in_cache(tmp_path)

    assert isinstance(found, Engine)
    assert engine_search.official_folder(tmp_path) == found.folder


def test_the_installer_is_given_up_when_nothing_arrives_but_not_while_something_does(tmp_path: Path) -> None:
    time = [0.0]
    stalled = engine_search.Stalled(tmp_path, now=lambda: time[0])
    answers = []
    for now, content in ((10, ""), (19, "some"), (38, "somewhat more"), (57, None), (59, None)):
        time[0] = now
        if content:
            (tmp_path / "download").write_text(content)
        answers.append(stalled())

    assert answers == [False, False, False, False, True]


def test_without_go_and_pulumi_the_reason_names_go(only_path: Path, tmp_path: Path) -> None:
    with pytest.raises(engine_build.CannotBuildError, match="no Go on PATH"):
        engine_build.usable_go(tmp_path)


def test_a_go_that_is_too_old_is_named_with_the_version_needed(
    only_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOTOOLCHAIN", raising=False)
    executable(only_path / "go", "#!/bin/sh\necho go1.24.1\n")

    with pytest.raises(engine_build.CannotBuildError, match=r"Go 1\.24\.1 is too old .* \(1\.25\.11 or newer\)"):
        engine_build.usable_go(tmp_path)


def test_a_full_disk_is_reported_before_the_build_begins(
    only_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(only_path / "go", "#!/bin/sh\necho go1.99.0\n")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**11, 10**11, 10**9))

    with pytest.raises(engine_build.CannotBuildError, match=r"about 4 GB of free disk; .* has 1\.0 GB"):
        engine_build.usable_go(tmp_path / "not" / "there" / "yet")


def test_the_users_go_settings_win_over_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-p=1")
    monkeypatch.setenv("GOMODCACHE", "/theirs")
    monkeypatch.delenv("GOTOOLCHAIN", raising=False)

    environment = engine_build.build_environment(tmp_path)

    assert tuple(environment[key] for key in ("GOFLAGS", "GOMODCACHE", "GOTOOLCHAIN")) == ("-p=1", "/theirs", "local")


def test_the_progress_of_a_build_is_reported_from_what_go_prints() -> None:
    count = engine_build.Count()
    said = [str(count)]
    count.line("go: downloading github.com/pulumi/esc v0.1.0")
    count.line("internal/abi")
    count.line("github.com/pulumi/esc")
    said.append(str(count))
    count.compiling = True
    count.line("internal/abi")
    said.append(str(count))
    count.line("# a remark of the linker")
    count.line("github.com/pulumi/esc")
    said.append(str(count))

    assert said == [
        "downloading modules, 0 so far",
        "downloading modules, 1 so far",
        "1 of 2 packages",
        "2 of 2 packages",
    ]


def test_another_lock_of_the_engine_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = engine_build.folder_name()
    shutil.copytree(engine_build.MODULES, tmp_path / "engine")
    with (tmp_path / "engine" / "cli" / "go.sum").open("a") as file:
        file.write("example.com/more v1.0.0 h1:x\n")
    monkeypatch.setattr(engine_build, "MODULES", tmp_path / "engine")

    assert before.startswith("v3.259.0-")
    assert before != engine_build.folder_name()


def test_a_failed_build_leaves_nothing_behind(only_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(only_path / "go", "#!/bin/sh\necho broken proxy >&2\nexit 1\n")
    step = Step(Progress(io.StringIO(), terminal=False), "engine", "building")

    with pytest.raises(SetupError, match=r"`go list` in dev/toolchain/engine/cli(.|\n)*\nbroken proxy"):
        engine_build.build(tmp_path / "cache", tmp_path / "log", step)

    assert list((tmp_path / "cache").iterdir()) == []
    assert (tmp_path / "log").read_text() == "broken proxy\n"
