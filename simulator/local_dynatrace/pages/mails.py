"""What the page of mails shows: every message that a workflow would have sent."""

from __future__ import annotations

import json
import re
from typing import Any

from ..kernel.store import Row
from ..kernel.world import World
from . import markdown
from .executions import EXECUTIONS, PROBLEMS, problem

MAILS = "/_sim/ui/mails"
MOST = 100
ADDRESS = re.compile(rf"(?<!\S){re.escape(PROBLEMS)}/problem/\S+")


def rows(world: World) -> list[dict[str, Any]]:
    """The newest first."""
    found = world.store.all(
        "SELECT m.*, e.title, e.params FROM messages m LEFT JOIN executions e ON e.id = m.execution "
        "ORDER BY m.number DESC LIMIT ?",
        MOST,
    )
    return [row(world, each) for each in found]


def row(world: World, message: Row) -> dict[str, Any]:
    content = json.loads(message["content"])
    cause = problem(json.loads(message["params"] or "{}").get("event"))
    email = message["kind"] == "email"
    # Links to the environment itself stay within these pages.
    text = (content["content"] if email else content["message"]).replace(f"{world.url}/", "/")
    return {
        "number": message["number"],
        "kind": "E-mail" if email else "Slack",
        "at": message["at_us"],
        "subject": content["subject"] if email else content["message"].strip().splitlines()[0],
        "to": ", ".join(content["to"]) if email else content["channel"],
        "headers": headers(content),
        "html": markdown.html(linked(text)),
        "workflow": message["title"] or "",
        "execution_href": f"{EXECUTIONS}/{message['execution']}",
        "problem": cause,
    }


def headers(content: dict[str, Any]) -> list[tuple[str, str]]:
    names = ("from", "to", "cc", "bcc", "connection", "channel")
    found = ((name.capitalize(), content.get(name)) for name in names)
    return [(name, ", ".join(value) if isinstance(value, list) else value) for name, value in found if value]


def linked(text: str) -> str:
    """Bare addresses of problems as Markdown links, as a mail program makes links of addresses."""
    return ADDRESS.sub(r"[\g<0>](\g<0>)", text)
