"""``python -m operations COMMAND --stack NAME``: what an operator asks of a deployed stack."""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from providers.api.errors import DynatraceError, LoginFailed

from .stack import ROOT, Stack, StackError

SCOPES = "Reading logs needs an OAuth client with storage:logs:read and storage:buckets:read"


@dataclass(frozen=True)
class Command:
    """``module`` has ``arguments(parser)`` and ``run(stack, options)``, which returns the exit code."""

    module: str
    help: str


COMMANDS = {
    "summary": Command("summary", "what is deployed, the first run's log, the newest records"),
    "logs": Command("logs", "the newest audit records"),
    "status": Command("status", "how it is now, on one screen"),
    "doctor": Command("doctor", "check tokens, scopes, permissions and reachability, and say what to do"),
    "reconcile": Command("reconcile.command", "prove that every record of SCM is in Dynatrace"),
    "backfill": Command("backfill", "send a window again, beside the schedule"),
    "drift": Command("drift", "what was changed outside Pulumi"),
    "plan": Command("plan", "preview of a real stack, as a comment on a pull request too"),
    "preview-pr": Command("preview_pr", "what a pull request would change in a stack, without its secrets"),
    "import-config": Command("vendor_config", "the vendor's config.yaml into the stack config"),
    "adopt": Command("vendor_objects", "find what the vendor's script made, to take it over"),
    "readme": Command("readme", "Pulumi.README.md with the stack's outputs"),
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
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except LoginFailed as error:
        hint = f". {SCOPES}" if "storage:" in str(error) else ""
        print(f"error: {error}{hint}.", file=sys.stderr)
        return 2
    except DynatraceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
