"""Stamps record what a finished step was made from, so that an unchanged setup takes almost no time."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(*parts: str | Path) -> str:
    """One digest over texts and the contents of files (a missing file counts as such)."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part.encode() if isinstance(part, str) else content(part)).digest())
    return total.hexdigest()


def content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b"missing"


def identity(path: Path) -> str:
    """A file as it is now, without reading it: where it really is, its size, its last change."""
    try:
        real = path.resolve(strict=True)
        state = real.stat()
    except OSError:
        return "missing"
    return f"{real} {state.st_size} {state.st_mtime_ns}"


class Stamps:
    """One small file a step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fresh(self, name: str, value: str) -> bool:
        try:
            return (self.folder / f"{name}.stamp").read_text(encoding="utf-8") == value
        except OSError:
            return False

    def write(self, name: str, value: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.stamp").write_text(value, encoding="utf-8")

    def drop(self, name: str) -> None:
        """Forget a step before it is done again: an interrupted one must not look finished."""
        (self.folder / f"{name}.stamp").unlink(missing_ok=True)
