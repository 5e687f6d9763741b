"""``adopt``: finds the objects of the vendor's script in the environment and prints or sets the ``adopt`` config."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

from providers import parts
from providers.api.environment import Environment
from providers.claims import mark_of, same_owner

from . import marks
from .stack import Stack


@dataclass(frozen=True)
class Kind:
    """``type`` empty: the workflow."""

    adopt_key: str
    type: str
    name: re.Pattern[str]


# The manual shows the names of three entries and of the workflow, but not those of checkpoint and lock.
KINDS = (
    Kind(parts.SCM.key, "USERNAME_PASSWORD", re.compile(r"sectigo.*oauth", re.IGNORECASE)),
    Kind(parts.LOG_INGEST.key, "TOKEN", re.compile(r"dynatrace log ingest token|sectigo.*ingest.*", re.IGNORECASE)),
    Kind(parts.CHECKPOINT.key, "TOKEN", re.compile(r".*sectigo.*checkpoint.*", re.IGNORECASE)),
    Kind(parts.EXECUTION_LOCK.key, "TOKEN", re.compile(r".*sectigo.*lock.*", re.IGNORECASE)),
    Kind(parts.WORKFLOW_CONFIG.key, "TOKEN", re.compile(r".*sectigo.*config.*", re.IGNORECASE)),
)
WORKFLOW_TITLE = "Sectigo SCM Integration"


@dataclass(frozen=True)
class Candidate:
    adopt_key: str
    id: str
    name: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="set the config instead of printing the commands")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: each object was found once; 1: some are missing or ambiguous. Raises StackError, DynatraceError."""
    found = candidates(stack.environment)
    clear, chosen = True, {}
    for key in list(parts.BY_KEY):
        some = [one for one in found if one.adopt_key == key]
        if len(some) != 1:
            clear = False
            names = ", ".join(f"{one.name} ({one.id})" for one in some)
            print(f"{key:<15} {'several: ' + names if some else 'none found'}")
            continue
        print(f"{key:<15} {some[0].name} ({some[0].id})")
        chosen[f"adopt.{key}"] = some[0].id
        if not options.write:
            print(f"                pulumi config set --path adopt.{key} {some[0].id} --stack {stack.name}")
    if options.write:
        stack.configure(chosen, path=True)
        wrote = ", ".join(chosen) or "nothing: no object was found exactly once"
        print(f"\n{f'Wrote to {stack.file.name}' if chosen else 'Wrote'}: {wrote}")
    if begin := stack.given.get("initialCheckpoint"):
        print(
            f"\ninitialCheckpoint is set to {begin}: it would replace the adopted checkpoint,\n"
            "and all records since then would be resent. To resume from the checkpoint:\n"
            f"  pulumi config rm initialCheckpoint --stack {stack.name}"
        )
    own = str(stack.recorded("access").get("stack", ""))
    for owner in owners(stack.environment, stack.config["name"]):
        if own and same_owner(owner, own):
            print(
                f"\nObjects of this connector's names belong to this stack already ({owner}); they need no adopt key."
            )
            continue
        print(
            f"\nObjects of this connector's names belong to Pulumi stack {owner}.\n"
            "Only if that was this stack before its state was lost, take them over:\n"
            f"  pulumi config set formerStack {owner} --stack {stack.name}"
        )
    print("\nAnything not listed under `adopt` will be created. docs/way-in.md says what is kept.")
    return 0 if clear else 1


def owners(environment: Environment, connector: str) -> list[str]:
    """Who owns objects of this connector's names already, by their marks."""
    return sorted({one.owner for one in marks.named(environment, connector)} - {""})


def candidates(environment: Environment) -> list[Candidate]:
    """Objects that look like the vendor's and have no stack's mark."""
    found = [
        Candidate(kind.adopt_key, entry.id, entry.name)
        for entry in environment.vault.entries()
        for kind in KINDS
        if entry.type == kind.type and kind.name.fullmatch(entry.name) and not mark_of(entry.description).stack
    ]
    return found + [
        Candidate(parts.WORKFLOW.key, workflow["id"], workflow["title"])
        for workflow in environment.automation.workflows_titled(WORKFLOW_TITLE)
        if not mark_of(workflow.get("description") or "").stack
    ]
