"""Joins script, parameters and schedule into the workflow definition. Pure: no clock, no network, no Pulumi."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
TASK = "sync"
PARAMETERS_LINE = re.compile(r"^const PARAMETERS = (\{.*\});$", re.MULTILINE)


def script_template() -> str:
    """The sync script as it stands in the repository."""
    return (FOLDER / "sync.js").read_text(encoding="utf-8")


def definition_template() -> str:
    """The workflow definition (YAML) as it stands in the repository."""
    return (FOLDER / "workflow.yaml").read_text(encoding="utf-8")


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


def render_trigger(interval_minutes: int, active: bool) -> dict[str, Any]:
    """The schedule trigger. ``isActive`` and a real time zone must be sent: their defaults are false and refused."""
    schedule = {
        "trigger": {"type": "interval", "intervalMinutes": interval_minutes},
        "isActive": active,
        "timezone": "UTC",
        "rule": None,
        "filterParameters": {},
    }
    return {"schedule": schedule}


def render_workflow(
    definition: str,
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
    body: dict[str, Any] = yaml.safe_load(definition)
    body |= {"title": title, "description": description, "isPrivate": private}
    body["trigger"] = render_trigger(interval_minutes, active)
    body["tasks"][TASK]["input"] = {"script": script}
    if actor:
        body["actor"] = actor
    return body
