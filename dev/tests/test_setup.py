"""The set-up: what it looks for, in which order, what it says, and that it does nothing when nothing is to do."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dev.toolchain import browser, engine_build, engine_search, machine, packages, setup, steps
from dev.toolchain.commands import run
from dev.toolchain.engine_search import Engine, choose
from dev.toolchain.errors import SetupError
from dev.toolchain.locks import locked
from dev.toolchain.progress import Progress, Step, elapsed
from dev.toolchain.stamps import Stamps, digest, identity

ROOT = Path(__file__).resolve().parents[2]


# versions


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


# the machine


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


def test_an_old_python3_hands_over_to_a_newer_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python3.9", "python3.11", "python3.12"):
        executable(tmp_path / name, "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert str(tmp_path / "python3.12") == setup.newer_python()


def test_without_a_newer_python_one_line_says_what_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "MINIMUM", (4, 0))
    monkeypatch.setattr(setup, "newer_python", lambda: None)

    assert setup.main() == 1
    assert re.fullmatch(r"set-up: Python 3\.11 or newer is needed; python3 is \S+\n", capsys.readouterr().err)


# the engine


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


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_an_installed_pulumi_that_is_new_enough_is_used(only_path: Path, tmp_path: Path) -> None:
    executable(only_path / "pulumi", "#!/bin/sh\necho v3.300.0\n")
    executable(only_path / "pulumi-language-python", "#!/bin/sh\n")

    assert Engine("v3.300.0", None, "installed on this machine") == engine_search.on_path(tmp_path / "cache")


def test_an_installed_pulumi_that_is_too_old_is_told_and_left_alone(only_path: Path, tmp_path: Path) -> None:
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


def test_a_full_disk_is_told_before_the_build_begins(
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


def test_the_progress_of_a_build_is_told_from_what_go_prints() -> None:
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


# stamps and locks


def test_a_stamp_is_fresh_until_an_input_changes(tmp_path: Path) -> None:
    stamps, file = Stamps(tmp_path / "setup"), tmp_path / "requirements.txt"
    file.write_text("a==1")
    assert not stamps.fresh("venv", digest(file))

    stamps.write("venv", digest(file))
    assert stamps.fresh("venv", digest(file))

    file.write_text("a==2")
    assert not stamps.fresh("venv", digest(file))


def test_a_dropped_stamp_makes_a_step_due_again(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path)
    stamps.write("venv", "x")
    stamps.drop("venv")
    stamps.drop("venv")

    assert not stamps.fresh("venv", "x")


def test_the_identity_of_a_file_changes_with_its_target(tmp_path: Path) -> None:
    for name in ("python3.11", "python3.12"):
        (tmp_path / name).write_text(name)
    link = tmp_path / "python"
    link.symlink_to("python3.11")
    before = identity(link)
    link.unlink()
    link.symlink_to("python3.12")

    assert before != identity(link)
    assert identity(tmp_path / "gone") == "missing"


def test_a_second_setup_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdin and holder.stdout
    assert holder.stdout.readline() == "held\n"
    said: list[str] = []

    def waiting(text: str) -> None:
        said.append(text)
        assert holder.stdin
        holder.stdin.close()  # lets the holder go on and end

    with locked(tmp_path / "lock", waiting):
        pass
    holder.wait(10)
    holder.stdout.close()

    assert [f"waiting for another set-up (process {holder.pid})"] == said


HOLD = """
import sys
from pathlib import Path
from dev.toolchain.locks import locked
with locked(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""


# commands and progress


def test_a_stalled_command_is_ended_with_everything_it_started(tmp_path: Path) -> None:
    script = f"sleep 300 & echo $! > {tmp_path / 'child'}; wait"

    finished = run(["sh", "-c", script], stalled=(tmp_path / "child").exists)

    assert finished.code is None
    child, until = int((tmp_path / "child").read_text()), time.monotonic() + 5
    while not gone(child) and time.monotonic() < until:  # killed, but it may not have been given the time to die
        pass
    assert gone(child)


def gone(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    if Path("/proc").is_dir():
        return not state.exists() or " Z " in state.read_text()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_last_lines_of_a_failed_command_are_kept() -> None:
    finished = run(["sh", "-c", "echo one; echo two >&2; echo; exit 3"])

    assert (finished.code, finished.last(2)) == (3, "one\ntwo")


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.1 s"), (9.9, "9.9 s"), (12.2, "12 s"), (200, "3 min 20 s")])
def test_times_are_short_to_read(seconds: float, text: str) -> None:
    assert text == elapsed(seconds)


def watched(terminal: bool) -> tuple[io.StringIO, Callable[[float], None], Progress]:
    time, out = [0.0], io.StringIO()

    def set_time(now: float) -> None:
        time[0] = now

    return out, set_time, Progress(out, terminal=terminal, now=lambda: time[0])


def test_in_a_log_a_long_step_says_every_half_minute_that_it_lives() -> None:
    out, set_time, progress = watched(terminal=False)
    with progress.step("engine", "building") as step:
        for now in range(0, 76, 5):
            set_time(now)
            step.alive(f"{now} of 99 packages")
        step.done = "built"

    lines = [re.sub(r"\s+", " ", line).strip() for line in out.getvalue().splitlines()]
    assert lines == ["engine 30 of 99 packages 30 s", "engine 60 of 99 packages 1 min 00 s", "engine built 1 min 15 s"]


def test_on_a_terminal_a_step_is_one_line_that_is_rewritten() -> None:
    out, set_time, progress = watched(terminal=True)
    with progress.step("engine", "building") as step:
        set_time(2)
        step.alive("5 of 99 packages")
        step.done = "built"

    text = out.getvalue()
    assert text.count("\n") == 1
    assert "building; 5 of 99 packages" in text
    assert text.rsplit("\x1b[K", 1)[1].startswith("  engine      built")


# what is pinned


LOCKS = [packages.REQUIREMENTS, packages.REQUIREMENTS_LOCAL, packages.REQUIREMENTS_BROWSER]


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_requirements_are_pinned_and_hashed_and_name_no_place(file: Path) -> None:
    text = file.read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]

    assert [entry.splitlines()[0] for entry in entries if not packages.PIN.match(entry)] == []
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"^-.*|\S+://\S+| @ \S+|\s/\S+", text, re.MULTILINE) == []


def test_the_local_requirements_contain_the_runtime_pins() -> None:
    local = packages.pins(packages.REQUIREMENTS_LOCAL)

    assert {k: v for k, v in packages.pins(packages.REQUIREMENTS).items() if local.get(k) != v} == {}


def test_the_browser_s_requirements_change_nothing_that_is_installed_already() -> None:
    local, more = packages.pins(packages.REQUIREMENTS_LOCAL), packages.pins(packages.REQUIREMENTS_BROWSER)

    assert {k: v for k, v in more.items() if local.get(k, v) != v} == {}
    assert {"playwright", "axe-playwright-python"} <= more.keys() - local.keys()


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


# the browser


def test_the_first_browser_that_starts_is_taken_and_the_reasons_before_it_are_told() -> None:
    told: list[str] = []

    def never() -> Path | str:
        raise AssertionError("tried although a browser had been found")

    found = browser.choose(
        [lambda: "no Chromium on PATH", lambda: "", lambda: Path("/bin/chromium"), never], told.append
    )

    assert (found, told) == (Path("/bin/chromium"), ["no Chromium on PATH"])


def test_without_any_browser_the_error_says_what_to_install() -> None:
    with pytest.raises(SetupError, match="install Chromium or Chrome"):
        browser.choose([lambda: "no Chromium on PATH"], lambda text: None)


def test_a_browser_that_does_not_start_is_not_taken(only_path: Path) -> None:
    executable(only_path / "chromium", "#!/bin/sh\necho 'error: the snap is missing' >&2\nexit 1\n")

    found = browser.on_machine()

    assert isinstance(found, str)
    assert found.startswith(f"{only_path}/chromium does not start: ")


def test_a_download_that_lives_may_be_slow_and_a_silent_one_ends() -> None:
    time = [0.0]
    heard = browser.Silence(lambda: time[0])

    time[0] = 19
    assert not heard.too_long()
    time[0] = 21
    assert heard.too_long()
    heard.line("|====    |  10% of 180 MiB")
    time[0] = 100
    assert not heard.too_long()
    time[0] = 150
    assert heard.too_long()


def test_the_ci_machine_gets_a_browser_first_and_lets_no_page_test_be_skipped() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()

    assert lines.index("make browser") < lines.index("export REQUIRE_BROWSER=1") < lines.index("exec make test")


# make


def targets() -> list[str]:
    return re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_make_alone_lists_every_command() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony == targets()
    assert phony == re.findall(r"^  make (\S+) +\S", listed, re.MULTILINE)


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="no README.md yet")
def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()

    assert [name for name in targets() if name != "help" and f"make {name}" not in text] == []


@pytest.fixture
def copied_makefile(tmp_path: Path) -> Path:
    """The Makefile alone in a folder, with tools that print how they were called."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("python", "pulumi"):
        script = f'#!/bin/sh\necho "{name} $* | $PULUMI_CONFIG_PASSPHRASE $PULUMI_BACKEND_URL $PULUMI_HOME | $PATH"\n'
        executable(tmp_path / ".venv" / "bin" / name, script)
    (tmp_path / ".local" / "setup").mkdir(parents=True)
    return tmp_path


def make(folder: Path, target: str, set_up: str = "true") -> list[str]:
    """What a command prints; ``set_up`` runs in place of Python's set-up, by default there is nothing to do."""
    theirs = {"PULUMI_CONFIG_PASSPHRASE": "mine", "PULUMI_BACKEND_URL": "https://theirs.example", "PULUMI_HOME": "/x"}
    command = ["make", target, f"PYTHON={set_up}"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, env={**os.environ, **theirs, "PATH": PATH}
    )
    return done.stdout.splitlines()


PATH = os.environ.get("PATH", os.defpath)


@pytest.mark.parametrize("target", ["up", "preview", "destroy"])
def test_the_dev_stack_uses_its_own_passphrase_and_backend_whatever_the_user_has(
    target: str, copied_makefile: Path
) -> None:
    local = copied_makefile / ".local"
    calls = [line.split(" | ") for line in make(copied_makefile, target) if line.startswith("pulumi ")]

    assert calls
    assert {f"local file://{local}/state {local}/pulumi-home"} == {environment for _, environment, _ in calls}
    assert (local / "state").is_dir()


def test_up_starts_the_local_environment_deploys_and_shows_what_came_of_it(copied_makefile: Path) -> None:
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


def test_the_set_up_looks_for_an_engine_on_the_users_own_path_only(copied_makefile: Path) -> None:
    (copied_makefile / ".local" / "setup" / "engine-path").write_text("/moved/cache/engine/v3\n")
    executable(copied_makefile / "set-up", '#!/bin/sh\necho "set-up sees $PATH"\n')

    assert f"set-up sees {PATH}" in make(copied_makefile, "logs", str(copied_makefile / "set-up"))


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
    if not steps.SetUp(Progress(), Stamps(steps.FOLDER), machine.cache_folder()).done():
        pytest.skip("this working copy was not set up by `make setup`")


@pytest.mark.usefixtures("as_set_up")
def test_a_finished_setup_starts_no_process_and_no_connection_and_says_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_STARTED], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
