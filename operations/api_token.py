"""``api-token``: create the API tokens of a stack and store them encrypted in its config, unseen.

The tokens belong to the user of the stack's OAuth client or platform token, which should be the service user.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from providers.api.api_tokens import ApiTokens
from providers.api.environment import Environment
from providers.api.errors import DynatraceError
from providers.api.scopes import DEPLOY_SCOPES, INGEST_SCOPES
from providers.configuration import read_access

from . import moments
from .stack import Stack, StackError

SCOPES = {"dynatraceApiToken": DEPLOY_SCOPES, "logIngestToken": INGEST_SCOPES}
"""The tokens of a stack, by config key."""
DAYS = 365


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", choices=SCOPES, help="create only this token (default: both)")
    parser.add_argument("--replace", action="store_true", help="create a new token even if the key is set")
    parser.add_argument("--days", type=int, default=DAYS, help=f"lifetime in days; 0: never expires (default: {DAYS})")
    parser.add_argument("--delete", metavar="ID", default="", help="delete this token (dt0c01.…) instead")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: created, or nothing to do. Raises StackError, DynatraceError."""
    stack.create()
    try:
        access = read_access(stack.given)
    except ValueError as problems:
        raise StackError(str(problems)) from None
    environment = Environment(access)
    if options.delete:
        return delete(stack, environment, options.delete)
    expires = datetime.now(UTC) + timedelta(days=options.days) if options.days > 0 else None
    made = 0
    for key in [options.only] if options.only else SCOPES:
        old = stack.given.get(key, "")
        if old and not options.replace:
            print(f"{key}: is set already ({public(old)}); to create a new one, add ARGS=--replace")
            continue
        make(stack, environment, key, expires)
        made += 1
        if old:
            print(
                f"  The old token {public(old)} still works. After a successful `pulumi up`, delete it:\n"
                f'  make api-token STACK={stack.name} ARGS="--delete {public(old)}"'
            )
    if made:
        print(f"Next: pulumi up --stack {stack.name}")
    return 0


def make(stack: Stack, environment: Environment, key: str, expires: datetime | None) -> None:
    """Create one token and store it. If it cannot be stored, it is deleted again."""
    tokens = ApiTokens(environment.platform)
    token = tokens.create(f"{stack.project}/{stack.name} {key}", SCOPES[key], expires)
    environment.redact.add(token)
    try:
        stack.configure_secret(key, token)
    except BaseException:
        tokens.delete(public(token))
        raise
    ends = f"expires on {moments.iso(expires)[:10]}" if expires else "never expires"
    print(f"{key}: created {public(token)}{owner_of(environment, token)} with {', '.join(SCOPES[key])}; it {ends}")
    print(f"  Stored encrypted in the config of stack {stack.name}; it was not shown anywhere.")


def owner_of(environment: Environment, token: str) -> str:
    """Whose it is, as the token itself says; empty if it does not work yet."""
    try:
        return f" of {Environment(replace(environment.access, api_token=token)).deploy_token.get('owner', '?')}"
    except DynatraceError:
        return ""


def delete(stack: Stack, environment: Environment, id: str) -> int:
    used = [key for key in SCOPES if public(stack.given.get(key, "")) == public(id)]
    if used:
        raise StackError(
            f"API token {public(id)} is the {used[0]} of stack {stack.name}; replace it first (ARGS=--replace)"
        )
    ApiTokens(environment.platform).delete(public(id))
    print(f"{public(id)} does not exist any more")
    return 0


def public(token: str) -> str:
    """Prefix and public part: a token's ID, which is no secret."""
    return ".".join(token.split(".")[:2])
