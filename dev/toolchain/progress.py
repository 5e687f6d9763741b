"""What the setup prints: one aligned line per step, and progress while a long one runs."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

TERMINAL_S = 1
"""On a terminal the running step's own line is rewritten this often."""
LOG_S = 30
"""Elsewhere (a CI log) a new line says this often that it lives."""
NAME_WIDTH = 12
TEXT_WIDTH = 54


def elapsed(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``."""
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


class Step:
    """One running step. ``done`` is what its closing line says."""

    def __init__(self, progress: Progress, name: str, doing: str) -> None:
        self.progress, self.name, self.doing, self.done = progress, name, doing, doing
        self.began = self._shown = progress.now()
        if progress.terminal:
            progress.rewrite(self._line(doing))

    def alive(self, detail: str = "") -> None:
        """Report that the step is still running, and how far it is. Can be called often: it prints rarely."""
        now = self.progress.now()
        if now - self._shown < (TERMINAL_S if self.progress.terminal else LOG_S):
            return
        self._shown = now
        if self.progress.terminal:
            self.progress.rewrite(self._line(f"{self.doing}; {detail}" if detail else self.doing, now))
        else:
            self.progress.write(self._line(f"  {detail or self.doing}", now) + "\n")

    def note(self, text: str) -> None:
        """A line of its own, which stays."""
        self.progress.clear()
        self.progress.write(self._line(text).rstrip() + "\n")

    def close(self) -> None:
        self.progress.clear()
        self.progress.write(self._line(self.done, self.progress.now()) + "\n")

    def _line(self, text: str, now: float | None = None) -> str:
        time_taken = elapsed(now - self.began) if now is not None else ""
        return f"  {self.name:<{NAME_WIDTH}}{text:<{TEXT_WIDTH}} {time_taken:>10}"


class Progress:
    """A writer that knows whether a person watches."""

    def __init__(
        self,
        out: TextIO | None = None,
        *,
        terminal: bool | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.out = out or sys.stdout
        self.terminal = self.out.isatty() if terminal is None else terminal
        self.now = now

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[Step]:
        step = Step(self, name, doing)
        try:
            yield step
        except BaseException:
            self.clear()
            raise
        step.close()

    def write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()

    def rewrite(self, line: str) -> None:
        """Replace the terminal's last line; cut to its width, as a wrapped line could not be replaced."""
        columns = shutil.get_terminal_size().columns
        self.write("\r\x1b[K" + line.rstrip()[: columns - 1])

    def clear(self) -> None:
        if self.terminal:
            self.write("\r\x1b[K")
