"""Actions that tell people: e-mail and Slack (facts: alerting 5). Messages are kept and shown, never sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ..kernel.rows import RowChecks
from ..kernel.store import Row
from ..kernel.world import World
from . import expressions
from .expressions import ExpressionError

EMAIL, SLACK = "dynatrace.email:send-email", "dynatrace.slack:slack-send-message"
SENDER = "no-reply@apps.dynatrace.com"
SEND = "email:emails:send"
MOST_RECIPIENTS = 10
MOST_BYTES = 256 * 1024
ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\Z")
SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('email', 'slack')),
    at_us INTEGER NOT NULL, execution TEXT NOT NULL, content TEXT NOT NULL);
"""


class ActionError(Exception):
    """Why an action fails; a sentence. Texts UNVERIFIED."""


def email(world: World, actor: str, given: dict[str, Any]) -> dict[str, Any]:
    """The mail that an input asks for."""
    if SEND not in world.identity.permissions(actor):
        raise ActionError(f"403 Forbidden: the workflow's actor lacks the permission {SEND}.")
    found: dict[str, Any] = {name: addresses(name, given.get(name)) for name in ("to", "cc", "bcc")}
    if not any(found.values()):
        raise ActionError("The e-mail has no recipient.")
    for name in ("subject", "content"):
        if not isinstance(given.get(name), str) or not given[name].strip():
            raise ActionError(f"The e-mail has no {name}.")
        found[name] = given[name]
    if len(found["content"].encode("utf-8", "replace")) > MOST_BYTES:
        raise ActionError(f"The content of the e-mail has more than {MOST_BYTES} bytes.")
    return {"from": SENDER, **found}


def addresses(name: str, value: Any) -> list[str]:
    """A list, or an expression's text with commas."""
    found = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value or []
    if not isinstance(found, list) or not all(isinstance(each, str) and ADDRESS.match(each) for each in found):
        raise ActionError(f"{name} must be a list of e-mail addresses.")
    if len(found) > MOST_RECIPIENTS:
        raise ActionError(f"{name} has more than {MOST_RECIPIENTS} recipients.")
    return found


def slack(world: World, actor: str, given: dict[str, Any]) -> dict[str, Any]:
    """The Slack message that an input asks for. Connections are settings of an app and not known here."""
    connection = given.get("connection") or given.get("connectionId")
    found = {"connection": connection, "channel": given.get("channel"), "message": given.get("message")}
    for name, value in found.items():
        if not isinstance(value, str) or not value.strip():
            raise ActionError(f"The Slack message has no {name}.")
    return found


Action = Callable[[World, str, dict[str, Any]], dict[str, Any]]
ACTIONS: dict[str, tuple[str, Action]] = {EMAIL: ("email", email), SLACK: ("slack", slack)}
"""By the action's name: the kind of its message, and what makes it."""


def send(world: World, execution: Row, task: Row, definition: dict[str, Any]) -> None:
    """Carry out a task with one of ``ACTIONS``. Raises ActionError."""
    kind, make = ACTIONS[definition["action"]]
    try:
        given = expressions.of_task(world, execution, task).evaluated(definition["input"])
    except ExpressionError as error:
        raise ActionError(str(error)) from None
    message = make(world, execution["actor"], given)
    world.store.run(
        "INSERT INTO messages (kind, at_us, execution, content) VALUES (?, ?, ?, ?)",
        kind, world.clock.now_us(), execution["id"], json.dumps(message),
    )  # fmt: skip
    world.changed("message")


def content(entry: dict[str, Any], value: Any) -> None:
    """Of a message in a state that is restored."""
    texts = {"email": ("from", "subject", "content"), "slack": ("connection", "channel", "message")}
    lists = {"email": ("to", "cc", "bcc"), "slack": ()}
    kind = entry.get("kind")
    if kind not in texts or not isinstance(value, dict):
        raise ValueError("expected an e-mail or a Slack message")
    for name in texts[kind]:
        if not isinstance(value.get(name), str):
            raise ValueError(f"{name} is not a text")
    for name in lists[kind]:
        if not isinstance(value.get(name), list) or not all(isinstance(each, str) for each in value[name]):
            raise ValueError(f"{name} is not a list of texts")


ROW_CHECKS = RowChecks({("messages", "content"): content}, clocked=("messages",))
