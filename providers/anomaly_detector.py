"""Anomaly detectors: queries that Dynatrace runs every minute, and that open a problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

import pulumi

from workflow_src.watch.dashboard import WORKFLOW
from workflow_src.watch.detectors import SINCE, Detector

from . import ownership
from .api.automation import moment
from .api.detectors import Json, Stored
from .api.environment import Environment
from .api.errors import Conflict, Refused
from .api.scopes import DETECTORS as NEEDS
from .api.scopes import NAME_ACTOR
from .claims import marked
from .configuration import Properties
from .host import say
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs, resolved
from .workflow_form import whole

NOUN = "anomaly detector"
ANALYZER = "dt.statistics.ui.anomaly_detection.StaticThresholdAnomalyDetectionAnalyzer"
SOURCE = "sectigo-dynatrace"
QUERY_OFFSET_MINUTES = 1
"""A report can be queried some seconds after the moment it is about."""
TRIES = 4


class Event(TypedDict):
    """What a problem is about; keys of an event template with ``event.`` before them."""

    type: str
    name: str
    description: str


class AnomalyDetectorProperties(Properties):
    name: str
    """The detector's title."""
    purpose: str
    enabled: bool
    actor: str
    """UUID of a service user, or empty."""
    query: str
    """With placeholders for the workflow's ID and, where it counts silence, for the moment from which it does."""
    workflow: str
    """The ID of the connector's workflow."""
    analyzer: dict[str, str]
    """The analyzer's other inputs, as texts."""
    event: Event
    since: str
    """Output: the moment before which silence is no problem; empty where the query does not ask."""


class AnomalyDetectorProvider(ObjectProvider[AnomalyDetectorProperties]):
    compared = ("name", "purpose", "enabled", "actor", "query", "workflow", "analyzer", "event")
    outputs = ("since",)
    needs = (*NEEDS, NAME_ACTOR)

    def create_object(self, environment: Environment, props: AnomalyDetectorProperties) -> tuple[str, Outputs]:
        mine = [one for one in environment.detectors.listed() if is_ours(one, props)]
        if len(mine) > 1:
            ids = ", ".join(one.id for one in mine)
            raise Refused(
                f"{NOUN} “{props['name']}” exists {len(mine)} times and is marked as ours: {ids}. Delete all but one"
            )
        if not mine:
            since = start_of_service(environment, props)
            return environment.detectors.create(value({**props, "since": since})), {"since": since}
        known: AnomalyDetectorProperties = {**props, "since": since_in(mine[0].value)}
        found = drift(mine[0].value, known)
        say(f"{NOUN} “{props['name']}” ({mine[0].id}): adopted; it differs in: {', '.join(found) or 'nothing'}")
        if found:
            replace(environment, mine[0].id, known)
        return mine[0].id, {"since": known["since"]}

    def update_object(
        self, environment: Environment, id: str, olds: AnomalyDetectorProperties, news: AnomalyDetectorProperties
    ) -> Outputs:
        require_own(environment, id, news, olds["stack"], news["stack"])
        resumed = news["enabled"] and not olds["enabled"]
        since = start_of_service(environment, news) if resumed else olds["since"]
        replace(environment, id, {**news, "since": since})
        return {"since": since}

    def read_object(self, environment: Environment, id: str, props: AnomalyDetectorProperties) -> Differences | None:
        live = environment.detectors.read(id)
        return None if live is None else drift(live.value, props)

    def delete_object(self, environment: Environment, id: str, props: AnomalyDetectorProperties) -> None:
        require_own(environment, id, props, props["stack"])
        environment.detectors.delete(id)


def require_own(environment: Environment, id: str, props: AnomalyDetectorProperties, *owners: str) -> None:
    if live := environment.detectors.read(id):
        ownership.require_ours(NOUN, props["name"], id, live.value.get("description") or "", *owners)


def start_of_service(environment: Environment, props: AnomalyDetectorProperties) -> str:
    """The moment, by the environment's clock, from which a silence counts: the workflow was deployed or resumed then.

    Dynatrace judges a new detector by the minutes before it, too; so the deployment counts as a report.
    """
    if SINCE not in props["query"]:
        return ""
    live = environment.automation.workflow(props["workflow"]) or {}
    changed = moment((live.get("modificationInfo") or {}).get("lastModifiedTime")) or datetime.now(UTC)
    # The running minute, and those of the offset, are not looked at.
    since = changed.astimezone(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1 + QUERY_OFFSET_MINUTES)
    return since.strftime("%Y-%m-%dT%H:%M:%SZ")


def since_in(live: Json) -> str:
    found = re.search(r'timestamp = toTimestamp\("([^"]*)"\)', by_key(live["analyzer"]["input"]).get("query") or "")
    return found[1] if found else ""


def is_ours(stored: Stored, props: AnomalyDetectorProperties) -> bool:
    described = stored.value.get("description") or ""
    mine = ownership.is_ours(described, props["stack"], props.get("formerStack", ""))
    return mine and stored.value.get("title") == props["name"]


def replace(environment: Environment, id: str, props: AnomalyDetectorProperties) -> None:
    """Write the whole value, as a PUT does, on what is there now."""
    for attempt in range(TRIES):
        live = environment.detectors.read(id)
        if live is None:
            raise Refused(f"{NOUN} “{props['name']}” ({id}) was deleted; pulumi up --refresh creates it again")
        kept = {} if props["actor"] else {"actor": (live.value.get("executionSettings") or {}).get("actor")}
        try:
            environment.detectors.update(live, value(props, kept))
            return
        except Conflict:
            if attempt + 1 == TRIES:
                raise


def value(props: AnomalyDetectorProperties, kept: Json | None = None) -> Json:
    """The settings object's value. ``kept``: execution settings that are not ours to choose."""
    execution: Json = {key: text for key, text in (kept or {}).items() if text}
    if props["actor"]:
        execution["actor"] = props["actor"]
    execution["queryOffset"] = QUERY_OFFSET_MINUTES
    query = props["query"].replace(WORKFLOW, props["workflow"]).replace(SINCE, props["since"])
    inputs = {"query": query, **props["analyzer"]}
    event: Mapping[str, Any] = props["event"]
    return {
        "enabled": props["enabled"],
        "title": props["name"],
        "description": marked(props["purpose"], props["stack"]),
        "source": SOURCE,
        "executionSettings": execution,
        "analyzer": {"name": ANALYZER, "input": pairs(inputs)},
        "eventTemplate": {"properties": pairs({f"event.{key}": text for key, text in event.items()})},
    }


def pairs(values: Mapping[str, Any]) -> list[Json]:
    return [{"key": key, "value": str(text)} for key, text in values.items()]


def by_key(listed: Any) -> dict[str, Any]:
    """The API keeps ``input`` as a set, so order means nothing."""
    return {str(one.get("key")): one.get("value") for one in listed or []}


def drift(live: Json, props: AnomalyDetectorProperties) -> dict[str, object]:
    """Live values of the inputs that differ."""
    inputs = by_key((live.get("analyzer") or {}).get("input"))
    events = by_key((live.get("eventTemplate") or {}).get("properties"))
    described = live.get("description") or ""
    query = str(inputs.pop("query", "")).replace(props["workflow"], WORKFLOW)
    if props["since"]:
        query = query.replace(props["since"], SINCE)
    found: dict[str, object] = {
        "name": live.get("title"),
        "purpose": props["purpose"] if described == marked(props["purpose"], props["stack"]) else described,
        "enabled": live.get("enabled"),
        "query": query,
        "analyzer": inputs,
        "event": {re.sub(r"^event\.", "", key): text for key, text in events.items()},
    }
    if props["actor"]:
        found["actor"] = (live.get("executionSettings") or {}).get("actor") or ""
    current: Mapping[str, Any] = whole({**props})
    return {key: text for key, text in found.items() if text != current[key]}


def inputs(
    place: Properties, detector: Detector, name: str, event_name: str, workflow: str, actor: str, enabled: bool
) -> Json:
    """The inputs of one detector."""
    counted = detector.samples
    return {
        **place,
        "name": name,
        "purpose": detector.description,
        "enabled": enabled,
        "actor": actor,
        "query": detector.query,
        "workflow": workflow,
        "analyzer": {
            "alertCondition": detector.condition,
            "threshold": str(detector.threshold),
            "violatingSamples": str(counted["violating"]),
            "slidingWindow": str(counted["window"]),
            "dealertingSamples": str(counted["dealerting"]),
            "alertOnMissingData": "false",
        },
        "event": {"type": detector.event_type, "name": event_name, "description": detector.description},
    }


class AnomalyDetector(DynatraceObject, module="dynatrace", name="AnomalyDetector"):
    """One anomaly detector with a static threshold.

    Args:
        name: its title.
        event_name: the name of the events, and so of the problems, that it opens.
        detector: what ``workflow_src.watch.detectors`` makes of ``detectors.yaml``.
        workflow: ID of the connector's workflow.
        actor: UUID of the service user whose permissions the query has, or empty for the OAuth client's own user.
        enabled: whether it runs.

    Outputs: ``since``, the moment before which silence is no problem.
    """

    since: pulumi.Output[str]

    def __init__(
        self,
        resource: str,
        place: Properties,
        *,
        name: str,
        event_name: str,
        detector: Detector,
        workflow: pulumi.Input[str],
        actor: str,
        enabled: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = inputs(place, detector, name, event_name, resolved(workflow), actor, enabled)
        super().__init__(AnomalyDetectorProvider(), resource, props, opts)
