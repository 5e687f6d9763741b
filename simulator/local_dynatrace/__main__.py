"""``local-dynatrace serve|start|stop|status|coverage``: the local environment as a command."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from . import plugins
from .kernel.options import Options


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="local-dynatrace",
        description="A local Dynatrace environment, with what its plug-ins add, on one port.",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="serve|start|stop|status|coverage")
    for name, text in (
        ("serve", "run in the foreground"),
        ("start", "run in the background, return when it answers"),
        ("stop", "end the one that runs in the background"),
        ("status", "say whether one runs, and where"),
        ("coverage", "print what is simulated, and how exactly"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        if name == "coverage":
            continue
        command.add_argument("--state", type=Path, default=Options.state, help="its one file (default: %(default)s)")
        if name in ("serve", "start"):
            command.add_argument("--port", type=port, help=f"0: any free one (default: {Options.port})")
            command.add_argument("--host", help=f"address to listen on (default: {Options.host}, this machine only)")
            command.add_argument(
                "--allowed-host", action="append", default=[], metavar="NAME[:PORT]", dest="allowed_hosts",
                help="another name that clients use for this listener",
            )  # fmt: skip
            command.add_argument("--no-plugins", action="store_true", help="a Dynatrace alone, without its plug-ins")
            command.add_argument(
                "--clock", choices=("running", "frozen", "auto"), help="default: as it was, at first running"
            )
            command.add_argument("--seed", type=int, help="of all ids and events (default: as it was, at first 1)")
            command.add_argument(
                "--set", action="append", default=[], metavar="KEY=JSON", dest="values", help="any other option"
            )
    return root


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port (0 to 65535)")
    return number


def chosen_plugins(arguments: argparse.Namespace) -> tuple[plugins.Plugin, ...]:
    return () if arguments.no_plugins else plugins.found()


def options(arguments: argparse.Namespace) -> Options:
    """Options from the command line. Raises ValueError that names every wrong one."""
    made = plugins.options_type(chosen_plugins(arguments))(
        port=Options.port if arguments.port is None else arguments.port,
        host=arguments.host or Options.host,
        allowed_hosts=tuple(name.lower() for name in arguments.allowed_hosts),
        state=arguments.state,
    )
    values: dict[str, Any] = {}
    for text in arguments.values:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: expected KEY=JSON")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value  # --set old_records=refuse reads better than --set 'old_records="refuse"'
    if "deno_modules" in values:
        made.deno_modules = Path(values.pop("deno_modules"))
    made.change(values)
    return made


def main(arguments: list[str] | None = None) -> int:
    parsed = parser().parse_args(arguments)
    if parsed.command == "serve":
        return serve(parsed)
    if parsed.command == "coverage":
        from .coverage import coverage

        print(coverage(), end="")
        return 0
    from . import background

    if parsed.command == "start":
        return background.start(parsed.state, parsed.port, serve_arguments(parsed))
    return background.stop(parsed.state) if parsed.command == "stop" else background.status(parsed.state)


def serve_arguments(parsed: argparse.Namespace) -> list[str]:
    """The same command line for ``serve``."""
    words = ["--state", str(parsed.state.resolve())]
    words += ["--port", str(parsed.port)] if parsed.port is not None else []
    words += ["--host", parsed.host] if parsed.host else []
    words += ["--no-plugins"] if parsed.no_plugins else []
    words += ["--clock", parsed.clock] if parsed.clock else []
    words += ["--seed", str(parsed.seed)] if parsed.seed is not None else []
    for name in parsed.allowed_hosts:
        words += ["--allowed-host", name]
    for value in parsed.values:
        words += ["--set", value]
    return words


def serve(parsed: argparse.Namespace) -> int:
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    present = chosen_plugins(parsed)
    try:
        chosen = options(parsed)
    except ValueError as error:
        names = sorted({field.name for field in fields(plugins.options_type(present))} - set(Options().fixed))
        print(f"error: {error} (options: {', '.join(names)})", file=sys.stderr)
        return 2
    from . import process

    try:
        process.serve(chosen, parsed.clock, parsed.seed, present, announce)
    except process.StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def announce(url: str) -> None:
    print(f"local environment ready at {url}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
