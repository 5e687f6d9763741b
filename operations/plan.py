"""``plan``: `pulumi preview --diff` of a deployed stack; in a job, also as one comment on the pull request."""

from __future__ import annotations

import argparse
import os
import re

from . import github
from .stack import Stack, StackError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report", action="store_true", help="write or update one comment on the pull request")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: previewed. Raises StackError."""
    text = stack.preview().text
    print(text)
    body = f"### Changes to `{stack.name}`\n\n{github.fenced(text, 'diff')}"
    github.summarize(body)
    if options.report:
        ref = os.environ.get("GITHUB_REF", "")
        number = re.fullmatch(r"refs/pull/(\d+)/merge", ref)
        if number is None:
            raise StackError(f"--report works only in a job of a pull request (GITHUB_REF is {ref or 'not set'})")
        done = github.Repository.of_this_job().keep_comment(int(number[1]), f"preview of {stack.name}", body)
        print(f"Comment on pull request {number[1]}: {done}")
    return 0
