"""What must be installed on the machine; everything missing is named at once, before any work."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

Which = Callable[[str], str | None]


def missing(which: Which = shutil.which, has_module: Callable[[str], bool] | None = None) -> list[str]:
    """What the setup cannot do without and does not find."""
    has_module = has_module or (lambda name: importlib.util.find_spec(name) is not None)
    found_missing = []
    if not which("git"):
        found_missing.append("git")
    if not (has_module("venv") and has_module("ensurepip")):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        found_missing.append(f"Python's venv and ensurepip (on Debian and Ubuntu: package python{version}-venv)")
    return found_missing


def cache_folder(environment: dict[str, str] | None = None) -> Path:
    """The per-user cache of this project, by the XDG rules (a relative XDG_CACHE_HOME is ignored, as they say)."""
    values = os.environ if environment is None else environment
    given = Path(values.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "sectigo-dynatrace"


def version_numbers(text: str) -> tuple[int, ...]:
    """``v3.260.0-dev.0`` -> (3, 260, 0); empty if there is no version in it."""
    numbers = []
    for part in text.strip().removeprefix("v").removeprefix("go").split("-")[0].split("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:  # go1.27rc1
            break
    return tuple(numbers)
