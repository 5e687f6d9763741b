"""``readme``: Pulumi.README.md with the stack's outputs filled in, as on Pulumi Cloud."""

from __future__ import annotations

import argparse

from providers.readme import stack_readme

from .stack import Stack, StackError


def arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(stack: Stack, options: argparse.Namespace) -> int:
    """Filled in here, as a stack of an older release has no output ``readme``. Raises StackError."""
    outputs = {"owner": "known after the next pulumi up", **stack.outputs}
    try:
        print(stack_readme(stack.name, outputs), end="")
    except ValueError as problem:
        raise StackError(str(problem)) from None
    return 0
