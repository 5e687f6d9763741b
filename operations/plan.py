"""``plan``: `pulumi preview --diff` of a real stack, for people and, in a job, as one comment on the pull request."""

from __future__ import annotations

import argparse
import os
import re

from . import github
from .drift import plain
from .stack import Stack, StackError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report", action="store_true", help="keep one comment on the pull request")


def run(stack: Stack, options: argparse.Namespace) -> int:
    text = plain(stack.pulumi("preview", "--diff", "--color", "never")).strip()
    print(text)
    body = f"### What this changes in `{stack.name}`\n\n{github.fenced(text, 'diff')}"
    github.summarize(body)
    if options.report:
        number = re.fullmatch(r"refs/pull/(\d+)/merge", os.environ.get("GITHUB_REF", ""))
        if number is None:
            raise StackError("--report works in a job of a pull request (GITHUB_REF is none of one)")
        said = github.Repository.of_this_job().keep_comment(int(number[1]), f"preview of {stack.name}", body)
        print(f"Comment on pull request {number[1]}: {said}")
    return 0
