"""Workflows that tell people: of a problem that has opened, or of silence that a query has found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from . import ownership
from .api.automation import Json
from .api.environment import Environment
from .api.scopes import NAME_ACTOR, WORKFLOWS_READ, WORKFLOWS_WRITE
from .claims import marked
from .configuration import Properties
from .host import say
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs
from .workflow import require_own
from .workflow_form import shaped_like, whole

NOUN = "workflow"


class NotificationProperties(Properties):
    name: str
    """The workflow's title."""
    purpose: str
    definition: Json
    """The workflow without title, description and actor."""
    actor: str
    """UUID of a service user, or empty."""


class NotificationProvider(ObjectProvider[NotificationProperties]):
    compared = ("name", "purpose", "definition", "actor")
    needs = (WORKFLOWS_READ, WORKFLOWS_WRITE, NAME_ACTOR)

    def create_object(self, environment: Environment, props: NotificationProperties) -> tuple[str, Outputs]:
        automation = environment.automation
        mine = next((one for one in automation.workflows_titled(props["name"]) if is_ours(one, props)), None)
        if mine is None:
            return str(automation.create_workflow(body(props))["id"]), {}
        found = drift(automation.workflow(mine["id"]) or mine, props)
        say(f"{NOUN} “{props['name']}” ({mine['id']}): adopted; it differs in: {', '.join(found) or 'nothing'}")
        if found:
            automation.update_workflow(mine["id"], body(props))
        return str(mine["id"]), {}

    def update_object(
        self, environment: Environment, id: str, olds: NotificationProperties, news: NotificationProperties
    ) -> Outputs:
        require_own(environment, id, news["name"], olds["stack"], news["stack"])
        environment.automation.update_workflow(id, body(news))
        return {}

    def read_object(self, environment: Environment, id: str, props: NotificationProperties) -> Differences | None:
        live = environment.automation.workflow(id)
        return None if live is None else drift(live, props)

    def delete_object(self, environment: Environment, id: str, props: NotificationProperties) -> None:
        require_own(environment, id, props["name"], props["stack"])
        environment.automation.delete_workflow(id)


def is_ours(live: Json, props: NotificationProperties) -> bool:
    return ownership.is_ours(live.get("description") or "", props["stack"], props.get("formerStack", ""))


def body(props: NotificationProperties) -> Json:
    described = {"title": props["name"], "description": marked(props["purpose"], props["stack"]), "isPrivate": False}
    actor = {"actor": props["actor"]} if props["actor"] else {}
    return {**whole(props["definition"]), **described, **actor}


def drift(live: Json, props: NotificationProperties) -> dict[str, object]:
    """Live values of the inputs that differ. Only fields that we set are compared."""
    described = live.get("description") or ""
    found: dict[str, object] = {
        "name": live.get("title"),
        "purpose": props["purpose"] if described == marked(props["purpose"], props["stack"]) else described,
        "definition": shaped_like(live, whole(props["definition"])),
    }
    if props["actor"]:
        found["actor"] = live.get("actor") or ""
    current: Mapping[str, Any] = {**props}
    return {key: value for key, value in found.items() if value != whole(current[key])}


class Notification(DynatraceObject, module="dynatrace", name="Notification"):
    """A workflow that tells people.

    Args:
        name: the workflow's title.
        definition: what ``notification`` or ``silence`` in ``workflow_src.watch`` make of their sources.
        actor: UUID of the service user it acts for, or empty for the OAuth client's own user.
    """

    def __init__(
        self,
        resource: str,
        place: Properties,
        *,
        name: str,
        purpose: str,
        definition: pulumi.Input[Json],
        actor: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {**place, "name": name, "purpose": purpose, "definition": definition, "actor": actor}
        super().__init__(NotificationProvider(), resource, props, opts)
