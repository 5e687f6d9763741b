"""One process per state: a locked pid file beside it, which says who holds it and where it answers.

The lock ends with the process, however it ends, so a stale file or a reused pid does no harm.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path


class ClaimedError(Exception):
    """Another process holds the state."""


def pid_file(state: Path) -> Path:
    return state.with_suffix(".pid")


@dataclass(frozen=True)
class Holder:
    pid: int
    url: str
    """``http://127.0.0.1:8787``"""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class Claim:
    """The lock on a state, held until ``release``. Raises ClaimedError."""

    def __init__(self, state: Path) -> None:
        state.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(pid_file(state), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise ClaimedError from None
        self.write("")

    def answering(self, url: str) -> None:
        """Say where this process answers."""
        self.write(f"{os.getpid()} {url}\n")

    def write(self, text: str) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        self.write("")
        os.close(self._descriptor)


def held(state: Path) -> bool:
    """Whether a process holds this state."""
    try:
        descriptor = os.open(pid_file(state), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(state: Path) -> Holder | None:
    """The process that holds this state and has begun to answer."""
    if not held(state):
        return None
    try:
        pid, url = pid_file(state).read_text(encoding="utf-8").split()
        return Holder(int(pid), url)
    except (FileNotFoundError, ValueError):
        return None
