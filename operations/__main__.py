"""``python -m operations COMMAND --stack NAME``: commands for a deployed stack."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from providers.api.errors import DynatraceError, LoginFailed

from . import streams
from .stack import ROOT, Stack, StackError

SCOPES = "Reading logs needs an OAuth client with storage:logs:read and storage:buckets:read"


@dataclass(frozen=True)
class Command:
    """``module`` has ``arguments(parser)`` and ``run(stack, options)``, which returns the exit code."""

    module: str
    help: str


COMMANDS = {
    "summary": Command("summary", "show what was deployed, the first run's log and the newest records"),
    "logs": Command("logs", "show the newest audit records"),
    "status": Command("status", "show a stack's current state on one screen"),
    "doctor": Command("doctor", "check tokens, scopes, permissions and connections, with a remedy for each problem"),
    "api-token": Command("api_token", "create the stack's API tokens for its service user and store them encrypted"),
    "verify": Command("verify.command", "check our assumptions about the APIs on a real tenant, with scratch objects"),
    "reconcile": Command("reconcile.command", "verify that every SCM record is in Dynatrace; list the missing ones"),
    "backfill": Command("backfill", "resend a time range, outside the schedule"),
    "drift": Command("drift", "show what was changed outside Pulumi"),
    "plan": Command("plan", "preview a stack; in a job, also as a comment on the pull request"),
    "preview-pr": Command("preview_pr", "preview what your changes do to a stack, without its secrets"),
    "show-script": Command("show_script", "print the script that the stack deploys, with its parameters and IDs"),
    "import-config": Command(
        "vendor_config", "import the vendor's config.yaml into the stack config, secrets encrypted"
    ),
    "adopt": Command("vendor_objects", "find the objects of the vendor's script and adopt them"),
    "test-alert": Command("alert", "open a problem on purpose, and wait until people have been notified"),
    "readme": Command("readme", "generate a README for the stack"),
}


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        made = commands.add_parser(name, help=command.help, description=command.help)
        made.add_argument("--stack", required=True, help="name of the Pulumi stack")
        made.add_argument("--cwd", type=Path, default=ROOT, help="folder of the Pulumi project (default: this one)")
        importlib.import_module(f"operations.{command.module}").arguments(made)
    return root


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    module = importlib.import_module(f"operations.{COMMANDS[options.command].module}")
    try:
        code: int = module.run(Stack(options.stack, options.cwd.resolve()), options)
    except LoginFailed as error:
        print(as_error(f"{error}{f'. {SCOPES}' if 'storage:' in str(error) else ''}."), file=sys.stderr)
        return 2
    except (StackError, DynatraceError) as error:
        print(as_error(str(error)), file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(as_error(f"{error.filename or 'a file'}: {error.strerror or error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return code


def as_error(text: str) -> str:
    """The text with one ``error:`` at its beginning, and one for each further error that Pulumi printed in it."""
    lines = [re.sub(r"^\s*(error: +)+", "error: ", line) for line in text.strip().splitlines()]
    first, *others = lines or ["unknown"]
    return "\n".join([f"error: {first.removeprefix('error: ')}", *others])


if __name__ == "__main__":
    streams.restart_in_utf_8(sys.argv[1:])
    streams.protect()
    sys.exit(main())
