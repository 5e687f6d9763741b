"""``import-config``: import the vendor's ``config.yaml`` into the stack config, secrets encrypted."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from providers.configuration import KEYS, is_needed, meant
from providers.rules import boolean, placeholder_in

from . import moments
from .stack import Stack, StackError

NAMES = {
    "dynatrace_environment_url": "dynatraceEnvironmentUrl",
    "dynatrace_api_token": "dynatraceApiToken",
    "oauth_client_id": "oauthClientId",
    "oauth_client_secret": "oauthClientSecret",
    "account_urn": "accountUrn",
    "scm_api_url": "scmApiUrl",
    "sectigo_client_id": "sectigoClientId",
    "sectigo_client_secret": "sectigoClientSecret",
    "max_retries": "maxRetries",
    "max_execution_time_minutes": "maxExecutionTimeMinutes",
    "init_history_duration": "initHistoryDuration",
    "initial_checkpoint": "initialCheckpoint",
    "trigger_interval_minutes": "triggerIntervalMinutes",
    "trigger_enabled": "triggerEnabled",
}
"""The manual's parameters and our config keys."""
NOT_TAKEN = "initial_checkpoint"
"""The vendor's script has already applied it. The sync script applies each new value once, so would apply it again."""
NOTHING = ("", "~", "null", "Null", "NULL")
BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
"""What PyYAML, which the vendor's script uses, reads as a boolean."""


@dataclass
class Reading:
    """``values``: raw texts by config key. ``missing``: required keys that the file does not set."""

    values: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    initial_checkpoint: str = ""
    """The file's value, which is not imported."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", default="", help="the vendor's config.yaml (required)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: imported; what is still missing is listed. Raises StackError if nothing was imported."""
    if not options.file.strip():
        raise StackError(f"FILE is missing: make import-config STACK={stack.name} FILE=path/to/config.yaml")
    file = Path(options.file)
    reading = read(file)
    if reading.problems:
        raise StackError(f"{file}: nothing was imported\n" + "\n".join(f"  - {p}" for p in reading.problems))
    had_file = stack.file.is_file()
    made = stack.create()
    already = {key for key, text in stack.given.items() if text}
    stack.configure({key: text for key, text in reading.values.items() if not KEYS[key].secret})
    for key, text in reading.values.items():
        if KEYS[key].secret:
            stack.configure_secret(key, text)
    print(
        f"{'Created' if made else 'Used the existing'} stack {stack.name}, "
        f"{'changed' if had_file else 'created'} {stack.file.name}: {moments.count(len(reading.values), 'setting')}"
    )
    for key, text in reading.values.items():
        print(f"  {key:<24} {'[secret]' if KEYS[key].secret else text}")
    if begin := reading.initial_checkpoint:
        print(
            f"\nNot imported: {NOT_TAKEN} {begin}. The vendor's script has already applied it; setting it here\n"
            "would resend all records since then. Set it only if you do not adopt the vendor's objects:\n"
            f"  pulumi config set initialCheckpoint {begin} --stack {stack.name}"
        )
    missing = [key for key in reading.missing if key not in already]
    if missing:
        print("\nStill required (the manual's sample file lacks some of them):")
        for key in missing:
            print(f"  pulumi config set {'--secret ' if KEYS[key].secret else ''}{key} --stack {stack.name}")
    print(
        f"\n{file} contains secrets in plaintext: delete it after a successful `pulumi up`. If it was ever "
        "shared, rotate them (docs/rotate.md).\n"
        f"Next: make adopt STACK={stack.name} finds the objects of the vendor's script and adopts them."
    )
    return 0


def read(path: Path) -> Reading:
    """Raises StackError if it is not the vendor's file; no message contains a value."""
    try:
        # Every scalar as it is written: YAML would read 0123 as 83, and 1.10 as 1.1.
        given: Any = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    except OSError as problem:
        raise StackError(f"{path} cannot be read: {problem.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise StackError(
            f"{path} is not valid YAML{line}; put secrets with characters like = ! ] [ in quotes"
        ) from None
    if not isinstance(given, dict):
        raise StackError(f"{path} contains no keys; the vendor's file starts with dynatrace_api_token: …")
    reading = Reading()
    for name, value in given.items():
        key = NAMES.get(str(name))
        if key is None:
            which = meant(str(name), NAMES) or "; it is not in the vendor's config.yaml"
            reading.problems.append(f"{name}: unknown key{which}")
            continue
        try:
            text = text_of(value, KEYS[key].rule)
            if text == "" or placeholder_in(text):
                continue
            if name == NOT_TAKEN:
                reading.initial_checkpoint = text
                continue
            KEYS[key].rule(text)
        except ValueError as problem:
            reading.problems.append(f"{name}: {problem}")
            continue
        reading.values[key] = text
    reading.missing = [key for key in KEYS if is_needed(key) and key not in reading.values]
    return reading


def text_of(value: Any, rule: Callable[[str], Any]) -> str:
    """A value of the file as a config text. Raises ValueError for a list or an object."""
    if not isinstance(value, str):
        raise ValueError("must be one value")
    text = value.strip()
    if text in NOTHING:
        return ""
    return BOOLEANS.get(text.lower(), text) if rule is boolean else text
