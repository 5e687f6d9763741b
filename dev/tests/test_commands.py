"""Commands that the setup runs, what it prints meanwhile, its stamps and its lock."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dev import ROOT
from dev.toolchain.commands import run
from dev.toolchain.locks import locked
from dev.toolchain.progress import Progress, elapsed
from dev.toolchain.stamps import Stamps, digest, identity


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

    assert [f"waiting for another setup (process {holder.pid})"] == said


HOLD = """
import sys
from pathlib import Path
from dev.toolchain.locks import locked
with locked(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""
