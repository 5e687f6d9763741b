"""``show-script``: the script as it is deployed, with the stack's parameters and IDs in it."""

from __future__ import annotations

import argparse
import sys

from providers.configuration import Settings
from providers.parts import CREDENTIALS
from workflow_src.render import render_script, script_template

from .stack import Stack, StackError


def arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: printed. Raises StackError if the config has problems."""
    settings = Settings(stack.config, stack.project, stack.name)
    try:
        outputs = stack.outputs
    except StackError:
        outputs = {}
        print("note: the stack is not deployed; pulumi up fills in the IDs of its vault entries", file=sys.stderr)
    ids = {part.parameter: outputs.get(part.output, f"ID-OF-{part.key}") for part in CREDENTIALS}
    print(render_script(script_template(), {**settings.script_parameters, **ids}), end="")
    return 0
