"""Script and workflow are rendered without a clock, a network or Pulumi."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_src.render import (
    PARAMETERS_LINE,
    TASK,
    definition,
    render_script,
    render_workflow,
    script_template,
    unrender_script,
)

TEMPLATE = 'before\nconst PARAMETERS = {"a":"","b":1};\nafter\n'


def test_only_the_parameters_line_of_the_real_script_changes() -> None:
    template = script_template()
    names = json.loads(PARAMETERS_LINE.findall(template)[0])
    rendered = render_script(template, dict.fromkeys(names, "x"))

    changed = [(old, new) for old, new in zip(template.splitlines(), rendered.splitlines(), strict=True) if old != new]

    assert len(changed) == 1
    assert changed[0][1].startswith('const PARAMETERS = {"')


@given(st.text(), st.integers())
def test_any_value_comes_back_from_the_rendered_script(text: str, number: int) -> None:
    rendered = render_script(TEMPLATE, {"a": text, "b": number})

    assert unrender_script(rendered, TEMPLATE) == (TEMPLATE, {"a": text, "b": number})


@given(st.text())
def test_no_value_breaks_out_of_its_line(text: str) -> None:
    rendered = render_script(TEMPLATE, {"a": text, "b": 1})

    # JavaScript's line ends are more than Python's "\n": U+2028 and U+2029 are two of them.
    assert len(re.split(r"[\n\r\u2028\u2029]", rendered)) == 4


def test_equal_parameters_in_another_order_give_equal_text() -> None:
    assert render_script(TEMPLATE, {"b": 1, "a": "x"}) == render_script(TEMPLATE, {"a": "x", "b": 1})


@pytest.mark.parametrize("parameters", [{"a": ""}, {"a": "", "b": 1, "c": 2}])
def test_missing_and_surplus_parameters_are_named(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the script's parameters are a, b, not"):
        render_script(TEMPLATE, parameters)


def test_a_script_with_two_parameter_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly one line"):
        render_script(TEMPLATE + TEMPLATE, {"a": "", "b": 1})


def test_a_script_without_readable_parameters_is_shown_as_it_is() -> None:
    for edited in ("", "const PARAMETERS = {broken};", TEMPLATE + TEMPLATE):
        assert unrender_script(edited, TEMPLATE) == (edited, {})


def test_every_field_of_the_definition_reaches_the_api() -> None:
    body = rendered()
    sent, task = dict(body), dict(body["tasks"][TASK])
    assert task.pop("input") == {"script": "text"}

    assert {**{key: sent[key] for key in definition()}, "tasks": {TASK: task}} == definition()


def test_the_fields_whose_defaults_hurt_are_always_sent() -> None:
    body = rendered()
    schedule = body["trigger"]["schedule"]

    assert body["type"] == "STANDARD", "a SIMPLE workflow takes no JavaScript task"
    assert isinstance(body["tasks"][TASK]["position"], dict), "null crashes later reads"
    assert body["tasks"][TASK]["retry"]["count"] == 0
    assert schedule["isActive"] is True
    assert schedule["timezone"] == "UTC"
    assert schedule["trigger"] == {"type": "interval", "intervalMinutes": 7}


def test_the_actor_is_sent_only_if_there_is_one() -> None:
    assert "actor" not in rendered()
    assert rendered(actor="someone")["actor"] == "someone"


def rendered(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "title": "t",
        "description": "d",
        "script": "text",
        "interval_minutes": 7,
        "active": True,
        "private": False,
        "actor": "",
    }
    return render_workflow(definition(), **{**values, **changes})
