"""Command line of the operations: `summary` after a deployment, `logs` at any time."""

from __future__ import annotations

import argparse
import sys

from providers.api.errors import DynatraceError, LoginFailed

from .logs import newest, table
from .stack import Stack, StackError
from .summary import show

SCOPES = "Reading logs needs an OAuth client with storage:logs:read and storage:buckets:read"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("summary", "what is deployed, the first run's log, the newest records"),
                       ("logs", "the newest audit records")):  # fmt: skip
        command = commands.add_parser(name, help=text)
        command.add_argument("--stack", required=True, help="name of the Pulumi stack")
        command.add_argument("--most", type=int, default=20, help="how many records (default: 20)")
    options = parser.parse_args()
    stack = Stack(options.stack)
    try:
        if options.command == "summary":
            show(stack, options.most)
        else:
            print(table(newest(stack, options.most)))
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except LoginFailed as error:
        print(f"{error}. {SCOPES}.", file=sys.stderr)
        return 1
    except DynatraceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
