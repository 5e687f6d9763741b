"""``readme``: Pulumi.README.md with the stack's outputs filled in, as on Pulumi Cloud."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from .stack import ROOT, Stack, StackError

PLACE = re.compile(r"\$\{outputs\.([A-Za-z]+)((?:\.[A-Za-z]+)*)\}")


def arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(stack: Stack, options: argparse.Namespace) -> int:
    text = (ROOT / "Pulumi.README.md").read_text(encoding="utf-8")
    print(filled(text, stack.outputs), end="")
    return 0


def filled(text: str, outputs: dict[str, Any]) -> str:
    """Raises StackError for an output that the stack does not have."""

    def value(place: re.Match[str]) -> str:
        found: Any = outputs
        for name in [place[1], *place[2].split(".")[1:]]:
            if not isinstance(found, dict) or name not in found:
                raise StackError(f"Pulumi.README.md refers to {place[0]}, which the stack does not export")
            found = found[name]
        return found if isinstance(found, str) else json.dumps(found)

    return PLACE.sub(value, text)
