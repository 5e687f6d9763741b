"""Joins script, parameters and schedule into the workflow definition. Pure: no clock, no network, no Pulumi."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TASK = "sync"
TIMEZONE = "UTC"
PARAMETERS_LINE = re.compile(r"^const PARAMETERS = (\{.*\});$", re.MULTILINE)


def script_template() -> str:
    """The sync script as it stands in the repository."""
    return (FOLDER / "sync.js").read_text(encoding="utf-8")


def definition() -> dict[str, Any]:
    """The workflow definition, ``workflow.yaml``."""
    import yaml  # only the program reads it; its providers get the content

    content: dict[str, Any] = yaml.safe_load((FOLDER / "workflow.yaml").read_text(encoding="utf-8"))
    return content


def render_script(template: str, parameters: Mapping[str, Any]) -> str:
    """Put the parameters into the script's ``const PARAMETERS = {...};`` line.

    Run JavaScript evaluates no expressions, so values are rendered before deployment; as a JSON literal, which cannot
    break out of its place. Raises ValueError if the template has no such line or names other parameters.
    """
    found = PARAMETERS_LINE.findall(template)
    if len(found) != 1:
        raise ValueError("the script needs exactly one line `const PARAMETERS = {...};`")
    expected = list(json.loads(found[0]))
    if set(expected) != set(parameters):
        raise ValueError(
            f"the script's parameters are {', '.join(sorted(expected))}, not {', '.join(sorted(parameters))}"
        )
    # In the template's order: equal values give equal text, whatever way they came.
    values = json.dumps({key: parameters[key] for key in expected}, separators=(",", ":"))
    line = f"const PARAMETERS = {values};"
    return PARAMETERS_LINE.sub(lambda _: line, template)


def unrender_script(script: str, template: str) -> tuple[str, dict[str, Any]]:
    """The reverse of ``render_script``: the text with the template's parameters line, and the parameters it had.

    A script that somebody has edited beyond recognition comes back as it is, with no parameters.
    """
    ours, theirs = PARAMETERS_LINE.search(template), PARAMETERS_LINE.findall(script)
    try:
        parameters = json.loads(theirs[0]) if len(theirs) == 1 else None
    except ValueError:
        parameters = None
    if ours is None or not isinstance(parameters, dict):
        return script, {}
    return PARAMETERS_LINE.sub(lambda _: ours[0], script), parameters


def render_trigger(interval_minutes: int, active: bool) -> dict[str, Any]:
    """The schedule trigger. ``isActive`` and a real time zone must be sent: their defaults are false and refused."""
    schedule = {
        "trigger": {"type": "interval", "intervalMinutes": interval_minutes},
        "isActive": active,
        "timezone": TIMEZONE,
        "rule": None,
        "filterParameters": {},
    }
    return {"schedule": schedule}


def render_workflow(
    definition: Mapping[str, Any],
    *,
    title: str,
    description: str,
    script: str,
    interval_minutes: int,
    active: bool,
    private: bool,
    actor: str,
) -> dict[str, Any]:
    """The JSON body for ``POST``/``PUT /platform/automation/v1/workflows``; ``script`` is a rendered one."""
    tasks = {**definition["tasks"], TASK: {**definition["tasks"][TASK], "input": {"script": script}}}
    body = {**definition, "tasks": tasks, "title": title, "description": description, "isPrivate": private}
    body["trigger"] = render_trigger(interval_minutes, active)
    if actor:
        body["actor"] = actor
    return body
