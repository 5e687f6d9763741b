"""Run a command: watch its lines, report progress, end it if it has stalled or the setup is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_S = 0.5
KEPT_LINES = 400


@dataclass(frozen=True)
class Finished:
    code: int | None
    """None: ended by us because it had stalled."""
    lines: list[str]
    """The last lines it printed, both streams."""

    @property
    def ok(self) -> bool:
        return self.code == 0

    def last(self, count: int = 1) -> str:
        return "\n".join([line for line in self.lines if line.strip()][-count:])


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    alive: Callable[[], None] | None = None,
    stalled: Callable[[], bool] | None = None,
) -> Finished:
    """Run ``command`` without input, in a process group of its own, so that nothing of it outlives the setup."""
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    lines: deque[str] = deque(maxlen=KEPT_LINES)

    def read() -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                lines.append(line.rstrip())
                if on_line:
                    on_line(line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    code: int | None = None
    try:
        while True:
            try:
                code = process.wait(LOOK_S)
                break
            except subprocess.TimeoutExpired:
                if alive:
                    alive()
                if stalled and stalled():
                    break
    finally:
        if process.poll() is None:
            end_group(process)
        reader.join(5)
    return Finished(code, list(lines))


def end_group(process: subprocess.Popen[str]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(5)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
