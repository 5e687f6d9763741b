"""The event template of a detector, filled in (facts: alerting 2)."""

from __future__ import annotations

import json
import re
from typing import Any

from ..settings.analyzers import StaticThreshold
from .samples import Sample, Verdict

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def filled(
    template: dict[str, Any], rule: StaticThreshold, verdict: Verdict, sample: Sample, dimensions: str
) -> dict[str, str]:
    """The properties of an event. Placeholders that are not known stay as they are, as does their text [D]."""
    known = {
        "threshold": text(rule.threshold),
        "alert_condition": rule.condition.lower(),
        "severity": text(sample),  # UNVERIFIED: the value that violated
        "violating_samples": text(verdict.violating),
        "missing_data_samples": text(verdict.missing),
        **{f"dims:{name}": text(value) for name, value in json.loads(dimensions).items()},
    }
    return {
        each["key"]: PLACEHOLDER.sub(lambda match: known.get(match[1], match[0]), each["value"])
        for each in template["properties"]
    }


def text(value: Any) -> str:
    if value is None:
        return "no data"
    return f"{value:g}" if isinstance(value, float) else str(value)
