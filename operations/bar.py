"""A progress bar on stderr, so that stdout has only the report: redrawn on a terminal, else a line every 10 %."""

from __future__ import annotations

import sys
from typing import TextIO

WIDTH = 32


class Bar:
    """Shows how much of something is done, with a note about what was found so far."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title, self.stream = title, stream or sys.stderr
        self._live = self.stream.isatty()
        self._tenth = -1

    def show(self, share: float, note: str = "") -> None:
        """``share`` from 0 to 1."""
        share = min(1.0, max(0.0, share))
        tenth = int(share * 10)
        if not self._live and tenth == self._tenth:
            return
        self._tenth = tenth
        done = round(share * WIDTH)
        line = f"{self.title} [{'#' * done}{'.' * (WIDTH - done)}] {share:4.0%}  {note}"
        self.stream.write(f"\r\x1b[2K{line}" if self._live else f"{line}\n")
        self.stream.flush()

    def close(self) -> None:
        if self._live:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
