"""Checks of a workflow's ``eventTrigger``, and what the server fills in (facts: alerting 4).

The server makes a DQL matcher of what a trigger asks for, ``filterQuery``, and an expression whose value is the same
for everything that is to start the workflow only once, ``uniqueExpression``. Both are kept with the workflow.
"""

from __future__ import annotations

from typing import Any

from ..grail import dql
from ..grail.dql.matcher import matcher
from .checks import InvalidError, each, flag, mapping, not_simulated, nullable, only_empty, text

CATEGORIES = {
    "monitoringUnavailable": "MONITORING_UNAVAILABLE",
    "availability": "AVAILABILITY",
    "error": "ERROR",
    "slowdown": "SLOWDOWN",
    "resource": "RESOURCE_CONTENTION",
    "custom": "CUSTOM_ALERT",
    "info": "INFO",
}
"""``event.category`` by the trigger's word; the values of all but the first three in a problem are [D]."""
OPENED = " OR ".join(f'event.status_transition == "{each}"' for each in ("CREATED", "UPDATED", "REOPENED"))
STATES = {
    "open": f'event.status == "ACTIVE" AND ({OPENED})',
    "close": 'event.status == "CLOSED"',
    "open-and-close": f'(event.status == "CLOSED" OR event.status == "ACTIVE" AND ({OPENED}))',
}
UNIQUE = (
    '{{ event()["event.id"] }}-{{ "open" if event()["event.status_transition"] in ("CREATED", "UPDATED", "REOPENED", '
    '"REFRESHED") else "resolved" }}-{{ event()["dt.davis.last_reopen_timestamp"] }}'
)


def checked(value: Any) -> dict[str, Any]:
    """An ``eventTrigger`` as it is stored. Raises InvalidError."""
    body = mapping(value)
    if not body:
        return {}
    if "triggerConfiguration" not in body:
        raise InvalidError({"triggerConfiguration": ["This field is required."]})
    given = each({"isActive": flag, "triggerConfiguration": configuration}, body)
    query = filter_query(given["triggerConfiguration"]["value"])
    return {"isActive": False, **given, "filterQuery": query, "uniqueExpression": UNIQUE}


def configuration(value: Any) -> dict[str, Any]:
    body = mapping(value)
    kind = body.get("type")
    if kind in ("davis-event", "event"):
        raise InvalidError({"type": [*not_simulated(f"The trigger type '{kind}'").details]})
    if kind != "davis-problem":
        raise InvalidError(f"No match for discriminator 'type_' and value '{kind}'")
    return {"type": kind, "value": each({"value": problem}, {"value": body.get("value", {})})["value"]}


def problem(value: Any) -> dict[str, Any]:
    given = each(PROBLEM, mapping(value))
    if given.get("triggerOn") not in (None, *STATES):
        raise InvalidError({"triggerOn": [f'"{given["triggerOn"]}" is not a valid choice.']})
    return {"entityTags": {}, "customFilter": "", **given}


def categories(value: Any) -> dict[str, bool]:
    body = mapping(value)
    if unknown := sorted(body.keys() - CATEGORIES.keys()):
        raise InvalidError({name: ["This category is not known."] for name in unknown})
    return each(dict.fromkeys(CATEGORIES, flag), body)


def custom_filter(value: Any) -> str | None:
    given = nullable(text(1000))(value)
    if given and given.strip():
        try:
            matcher(given)
        except dql.DqlError as error:
            raise InvalidError(f"Invalid filter: {error.message}") from None
    return given  # type: ignore[no-any-return]


def maintenance(value: Any) -> Any:
    if value not in (None, "always"):
        raise not_simulated("A trigger that looks at maintenance windows")
    return value


PROBLEM = {
    "categories": categories,
    "customFilter": custom_filter,
    "entityTags": only_empty("A trigger that looks at tags of entities"),
    "entityTagsMatch": nullable(text(10)),
    "triggerOn": nullable(text(20)),
    "onProblemClose": flag,
    "analysisReady": flag,
    "maintenanceWindowTriggerBehavior": maintenance,
    "severityThreshold": only_empty("A trigger with a severity threshold"),
    "triggerOnUpdateFields": only_empty("A trigger on updates of fields"),
    "problemOpenDuration": only_empty("A trigger on how long a problem is open"),
}


def filter_query(value: dict[str, Any]) -> str:
    """The matcher of a problem trigger, in the form that exported templates show."""
    states = value.get("triggerOn") or ("open-and-close" if value.get("onProblemClose") else "open")
    parts = ['event.kind == "DAVIS_PROBLEM"', STATES[states]]
    if value.get("analysisReady"):
        parts.append("dt.analysis.ready == true")
    chosen = [name for name, wanted in value.get("categories", {}).items() if wanted]
    if chosen:
        parts.append("(" + " OR ".join(f'event.category == "{CATEGORIES[name]}"' for name in chosen) + ")")
    if custom := (value.get("customFilter") or "").strip():
        parts.append(f"({custom})")
    return " AND ".join(parts)
