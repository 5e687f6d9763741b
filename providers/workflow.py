"""Steps 8, 9 and 10: the Automation workflow that runs the sync script on a schedule.

Script template, parameters and credential ids are separate inputs and are joined here, in the provider: so a preview
shows a text diff of the script even while an id is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from .api.automation import Json
from .api.environment import Environment
from .host import say, warn
from .lifecycle import DynatraceObject, ObjectProvider, Place, Props
from .ownership import Found, choose
from .recovery import own_workflow
from .workflow_form import body, drift, in_words
from .workflow_stop import stop_runs

NOUN = "workflow"


class WorkflowProvider(ObjectProvider):
    compared = ("name", "purpose", "script", "definition", "parameters", "ids", "schedule", "private", "actor")
    outputs = ("actsFor", "owner")

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        automation = environment.automation
        workflows = {w["id"]: w for w in automation.workflows_titled(props["name"])}
        if props["adopt"] and props["adopt"] not in workflows and (named := automation.workflow(props["adopt"])):
            workflows[named["id"]] = named
        candidates = [Found(w["id"], w["title"], w.get("description") or "") for w in workflows.values()]
        found = choose(NOUN, props["name"], props["stack"], props["adopt"], "workflow", candidates)
        if not found and (retitled := own_workflow(environment, props)):
            workflows[retitled["id"]] = retitled
            found = Found(retitled["id"], retitled["title"], retitled.get("description") or "")
        if not found:
            made = automation.create_workflow(body(props))
            return str(made["id"]), users(made)
        different = drift(workflows[found.id], props)
        said = in_words(different, props) or "nothing"
        say(f"{NOUN} “{found.name}” ({found.id}) exists and is taken; it differs in: {said}")
        # What is equal is not written: its last run, which is younger than its last change, still counts.
        written = automation.update_workflow(found.id, body(props)) if different else workflows[found.id]
        return found.id, users(written)

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        if olds.get("actor") and not news["actor"]:
            warn(
                f"{NOUN} “{news['name']}” goes on acting for {olds['actor']}: Dynatrace keeps an actor until another "
                "one is named. To change it: pulumi config set workflowActor UUID"
            )
        return users(environment.automation.update_workflow(id, body(news)))

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        live = environment.automation.workflow(id)
        if live is None:
            return None
        tell_users(live, props)
        return drift(live, props)

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        stop_runs(environment, id)
        environment.automation.delete_workflow(id)


def users(live: Json) -> Props:
    """Who the workflow acts for and belongs to. Dynatrace decides: its last editor becomes its actor, save where the
    actor is a service user (facts: dynatrace-api 5.6)."""
    return {"actsFor": live.get("actor") or "", "owner": live.get("owner") or ""}


def tell_users(live: Json, props: Props) -> None:
    """Say when somebody else has become actor or owner, where no config value brings the old one back."""
    seen = users(live)
    if not props["actor"] and props.get("actsFor") and seen["actsFor"] != props["actsFor"]:
        warn(
            f"{NOUN} “{props['name']}” acts for {seen['actsFor']} instead of {props['actsFor']}, since somebody edited "
            "it: its runs use that user's permissions. Name a service user: pulumi config set workflowActor UUID"
        )
    if props.get("owner") and seen["owner"] != props["owner"]:
        warn(f"{NOUN} “{props['name']}” belongs to {seen['owner']} instead of {props['owner']}; its owner is left so")


class Workflow(DynatraceObject, module="dynatrace", name="Workflow"):
    """The workflow with its only task and its schedule.

    Args:
        name: the workflow's title.
        script: text of ``workflow_src/sync.js``, unrendered.
        definition: content of ``workflow_src/workflow.yaml``.
        parameters, ids: values of the script's parameters; ``ids`` are credential IDs.
        schedule: ``{"intervalMinutes": 1..720, "isActive": bool}``.
        actor: UUID of a service user, or empty for the OAuth client's own user.

    Outputs: ``actsFor`` and ``owner``, the users whose UUIDs Dynatrace answered.
    """

    def __init__(
        self,
        resource: str,
        place: Place,
        *,
        name: str,
        purpose: str,
        script: str,
        definition: Mapping[str, Any],
        parameters: dict[str, Any],
        ids: Mapping[str, pulumi.Input[str]],
        schedule: dict[str, Any],
        private: bool,
        actor: str,
        adopt: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place.props,
            "name": name,
            "purpose": purpose,
            "script": script,
            "definition": definition,
            "parameters": parameters,
            "ids": ids,
            "schedule": schedule,
            "private": private,
            "actor": actor,
            "adopt": adopt,
        }
        super().__init__(WorkflowProvider(), resource, props, opts)
