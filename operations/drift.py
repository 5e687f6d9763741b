"""Drift: what somebody changed outside Pulumi, by ``pulumi preview --refresh``."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass

from . import github
from .stack import Stack, StackError

UNCHANGED = ("same", "read", "refresh")
TITLE = "Drift in {stack}"


@dataclass(frozen=True)
class Drift:
    """Names of the resources that differ, by what an `up` would do; empty: none. ``text``: the preview, for people."""

    changes: dict[str, list[str]]
    text: str = ""

    @property
    def line(self) -> str:
        if not self.changes:
            return "none"
        return ", ".join(f"{', '.join(sorted(names))} ({verb})" for verb, names in sorted(self.changes.items()))


def look(stack: Stack) -> Drift:
    """Compare the stack with what is there. Raises StackError."""
    printed = stack.pulumi("preview", "--refresh", "--json")
    try:
        steps = json.loads(printed).get("steps") or []
    except ValueError:
        raise StackError(f"pulumi preview printed no JSON: {printed.strip()[-300:]}") from None
    changes: dict[str, list[str]] = {}
    for step in steps:
        if step["op"] not in UNCHANGED and not step["urn"].endswith("::providers"):
            changes.setdefault(step["op"], []).append(step["urn"].rsplit("::", 1)[-1])
    return Drift(changes)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report", action="store_true", help="keep one issue on GitHub: open, update, close")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: no drift, or reported; 1: drift. Raises StackError."""
    drift = look(stack)
    print(f"Drift of {stack.name}: {drift.line}")
    shown = ""
    if drift.changes:
        shown = plain(stack.pulumi("preview", "--refresh", "--diff", "--color", "never"))
        print(shown)
    if options.report:
        title = TITLE.format(stack=stack.name)
        said = github.Repository.of_this_job().keep_issue(title, issue_text(stack, drift, shown))
        print(f"Issue “{title}”: {said}")
        return 0
    return 1 if drift.changes else 0


def issue_text(stack: Stack, drift: Drift, shown: str) -> str:
    """Empty without drift: the issue is closed then."""
    if not drift.changes:
        return ""
    return (
        f"`pulumi preview --refresh` of stack `{stack.name}` finds changes that were not made by Pulumi: "
        f"{drift.line}.\n\n"
        f"{github.fenced(shown, 'diff')}\n\n"
        "To put it right: `pulumi up --refresh`. To keep a change: make it in the stack config or the program. "
        "This issue is updated by the scheduled job and closed when nothing differs any more."
    )


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
