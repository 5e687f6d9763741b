"""What the page of mails shows: every message that a workflow would have sent."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.store import Row
from ..kernel.world import World
from . import markdown
from .executions import EXECUTIONS

MAILS = "/_sim/ui/mails"
PROBLEMS = "/ui/apps/dynatrace.davis.problems"
MOST = 100


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
    event = (json.loads(message["params"] or "{}").get("event") or {}) if message["params"] else {}
    email = message["kind"] == "email"
    # Links to the environment itself stay within these pages.
    text = (content["content"] if email else content["message"]).replace(f"{world.url}/", "/")
    problem = str(event.get("event.id") or "")
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
        "problem_id": problem,
        "problem_href": f"{PROBLEMS}/problem/{problem}" if problem else "",
        "problem": str(event.get("display_id") or "problem"),
    }


def headers(content: dict[str, Any]) -> list[tuple[str, str]]:
    names = ("from", "to", "cc", "bcc", "connection", "channel")
    found = ((name.capitalize(), content.get(name)) for name in names)
    return [(name, ", ".join(value) if isinstance(value, list) else value) for name, value in found if value]


def linked(text: str) -> str:
    """Bare addresses of problems as Markdown links, as a mail program makes links of addresses."""
    words = text.split(" ")
    lines = [[as_link(part) for part in word.split("\n")] for word in words]
    return " ".join("\n".join(parts) for parts in lines)


def as_link(word: str) -> str:
    return f"[{word}]({word})" if word.startswith(f"{PROBLEMS}/") else word
