"""Forms of the controls page: the clock and fault rules, by the same code as the control API."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qs

from ..kernel.faults import Rule
from ..kernel.routing import Call

EXAMPLE = '{"api": "scm", "status": 503, "headers": {"Retry-After": "7"}, "times": 2}'
DEFAULTS = {field.name: getattr(Rule(), field.name) for field in fields(Rule)}


def form(call: Call) -> dict[str, str]:
    """The fields of a posted form, the first value of each."""
    return {key: values[0] for key, values in parse_qs(call.body.decode("utf-8", "replace")).items()}


def rules(call: Call) -> list[dict[str, Any]]:
    """Rules as they were written: without what is only a default."""
    return [
        {
            "id": rule.id,
            "seen": rule.seen,
            "hit": rule.hit,
            "text": json.dumps({k: getattr(rule, k) for k in DEFAULTS if getattr(rule, k) != DEFAULTS[k]}),
        }
        for rule in call.world.faults.rules
    ]
