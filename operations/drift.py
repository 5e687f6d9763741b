"""``drift``: what was changed outside Pulumi, found by ``pulumi preview --refresh``."""

from __future__ import annotations

import argparse

from . import github
from .stack import Stack

TITLE = "Drift in {stack}"
WORDS = {"update": "changed", "create": "missing", "delete": "no longer in the program"}
"""What an operation of the preview means for the live object."""


def describe(changes: dict[str, list[str]]) -> str:
    """``workflow changed; log-ingest, scm missing``; ``none`` without changes."""
    parts = [f"{', '.join(sorted(names))} {WORDS.get(verb, f'({verb})')}" for verb, names in sorted(changes.items())]
    return "; ".join(parts) or "none"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report", action="store_true", help="open, update or close one issue on GitHub")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: no drift, or reported; 1: drift. Raises StackError."""
    preview = stack.preview(refresh=True)
    print(f"Drift in {stack.name}: {describe(preview.changes)}")
    if preview.changes:
        print(preview.text)
    if options.report:
        title = TITLE.format(stack=stack.name)
        body = issue_text(stack, describe(preview.changes), preview.text) if preview.changes else ""
        print(f"Issue “{title}”: {github.Repository.of_this_job().keep_issue(title, body)}")
        return 0
    return 1 if preview.changes else 0


def issue_text(stack: Stack, line: str, shown: str) -> str:
    return (
        f"`pulumi preview --refresh` of stack `{stack.name}` found changes that were not made by Pulumi: {line}.\n\n"
        f"{github.fenced(shown, 'diff')}\n\n"
        "To revert them, run `pulumi up --refresh`. To keep a change, make it in the stack config or the program. "
        "The scheduled job updates this issue and closes it when there is no drift."
    )
