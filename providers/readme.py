"""The stack's own page, Pulumi.README.md with the outputs filled in: the output ``readme`` (Pulumi Cloud shows it)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "Pulumi.README.md"
PLACE = re.compile(r"\$\{(stack|outputs(?:\.[A-Za-z]+)+)\}")


def stack_readme(stack: str, outputs: Mapping[str, Any]) -> str:
    """Raises ValueError for an output that the stack does not have."""
    return filled(FILE.read_text(encoding="utf-8"), stack, outputs)


def filled(text: str, stack: str, outputs: Mapping[str, Any]) -> str:
    values: dict[str, Any] = {"stack": stack, "outputs": outputs}

    def value(place: re.Match[str]) -> str:
        found: Any = values
        for name in place[1].split("."):
            if not isinstance(found, Mapping) or name not in found:
                raise ValueError(f"Pulumi.README.md refers to {place[1]}, which the stack does not export")
            found = found[name]
        return found if isinstance(found, str) else json.dumps(found)

    return PLACE.sub(value, text)
