"""``silence.yaml`` and ``silence.js`` into the body of a workflow for the Automation API (facts: alerting 4 and 5)."""

from __future__ import annotations

from typing import Any

from ..render import render_script, render_trigger
from .dashboard import WORKFLOW
from .detectors import SLACK_MINUTES
from .notification import event_name
from .words import FOLDER, source

Json = dict[str, Any]
SHORTEST_CHECK_MINUTES = 60


def definition(connector: str, workflow: str, interval: int, tasks: list[Json], active: bool) -> Json:
    """The workflow, without title, description and actor.

    ``workflow``: the connector's. ``interval``: minutes between its runs. ``tasks``: those of the notification, which
    tell people here as well.
    """
    described = source("silence")
    every = max(SHORTEST_CHECK_MINUTES, interval)
    parameters = {"workflow": workflow, "silentMinutes": 3 * interval + SLACK_MINUTES, "everyMinutes": every}
    script = render_script((FOLDER / "silence.js").read_text(encoding="utf-8"), parameters)
    check = {**described["check"], "input": {"script": script}}
    title, text = event_name(connector, described["title"]), described["text"].replace(WORKFLOW, workflow)
    words = {"subject": title, "content": text, "message": f"{title}\n\n{text}"}
    told = []
    for task in tasks:
        said = {key: words.get(key, value) for key, value in task["input"].items()}
        told.append({**task, **described["told"], "input": said})
    return {
        **described["workflow"],
        "trigger": render_trigger(every, active),
        "tasks": {task["name"]: task for task in [check, *told]},
    }
