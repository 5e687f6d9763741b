"""Steps 8, 9 and 10: the Automation workflow that runs the sync script on a schedule.

Script template, parameters and credential IDs are separate inputs and are joined here, in the provider: so a preview
shows a text diff of the script even while an ID is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from .api.automation import Json
from .api.environment import Environment
from .api.scopes import NAME_ACTOR, WORKFLOWS_READ, WORKFLOWS_WRITE
from .configuration import Properties, Schedule, ScriptParameters
from .host import say, warn
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs, resolved
from .ownership import Found, choose, require_ours
from .parts import WORKFLOW
from .recovery import own_workflow
from .workflow_form import WorkflowProperties, body, drift, in_words
from .workflow_stop import stop_runs

NOUN = "workflow"


class WorkflowProvider(ObjectProvider[WorkflowProperties]):
    compared = ("name", "purpose", "script", "definition", "parameters", "ids", "schedule", "private", "actor")
    outputs = ("actsFor", "owner")
    needs = (WORKFLOWS_READ, WORKFLOWS_WRITE, NAME_ACTOR)

    def create_object(self, environment: Environment, props: WorkflowProperties) -> tuple[str, Outputs]:
        automation = environment.automation
        workflows = {w["id"]: w for w in automation.workflows_titled(props["name"])}
        if props["adopt"] and props["adopt"] not in workflows and (named := automation.workflow(props["adopt"])):
            workflows[named["id"]] = named
        candidates = [Found(w["id"], w["title"], w.get("description") or "") for w in workflows.values()]
        former = props.get("formerStack", "")
        found = choose(NOUN, props["name"], props["stack"], props["adopt"], WORKFLOW.key, candidates, former)
        if not found and (retitled := own_workflow(environment, props)):
            workflows[retitled["id"]] = retitled
            found = Found(retitled["id"], retitled["title"], retitled.get("description") or "")
        if not found:
            created = automation.create_workflow(body(props))
            return str(created["id"]), users(created)
        different = drift(workflows[found.id], props)
        said = in_words(different, props) or "nothing"
        say(f"{NOUN} “{found.name}” ({found.id}): adopted; it differs in: {said}")
        # What is equal is not written: its last run, which is newer than its last change, still counts.
        written = automation.update_workflow(found.id, body(props)) if different else workflows[found.id]
        return found.id, users(written)

    def update_object(
        self, environment: Environment, id: str, olds: WorkflowProperties, news: WorkflowProperties
    ) -> Outputs:
        require_own(environment, id, news["name"], olds.get("stack", news["stack"]), news["stack"])
        if olds.get("actor") and not news["actor"]:
            warn(
                f"{NOUN} “{news['name']}” still acts for {olds['actor']}: Dynatrace keeps an actor until another one "
                "is named. To change it: pulumi config set workflowActor UUID"
            )
        return users(environment.automation.update_workflow(id, body(news)))

    def read_object(self, environment: Environment, id: str, props: WorkflowProperties) -> Differences | None:
        live = environment.automation.workflow(id)
        if live is None:
            return None
        warn_of_other_users(live, props)
        return drift(live, props)

    def delete_object(self, environment: Environment, id: str, props: WorkflowProperties) -> None:
        require_own(environment, id, props["name"], props["stack"])
        stop_runs(environment, id)
        environment.automation.delete_workflow(id)


def require_own(environment: Environment, id: str, name: str, *owners: str) -> None:
    """Raise Refused if the workflow carries another owner's mark now."""
    if live := environment.automation.workflow(id):
        require_ours(NOUN, name, id, live.get("description") or "", *owners)


def users(live: Json) -> dict[str, str]:
    """Who the workflow acts for and belongs to. Dynatrace decides: its last editor becomes its actor, except where the
    actor is a service user (facts: dynatrace-api 5.6)."""
    return {"actsFor": live.get("actor") or "", "owner": live.get("owner") or ""}


def warn_of_other_users(live: Json, props: WorkflowProperties) -> None:
    """Say when somebody else has become actor or owner, where no config value brings the old one back."""
    now = users(live)
    if not props["actor"] and props.get("actsFor") and now["actsFor"] != props["actsFor"]:
        warn(
            f"{NOUN} “{props['name']}” acts for {now['actsFor']} instead of {props['actsFor']}, since somebody edited "
            "it: its runs use that user's permissions. Name a service user: pulumi config set workflowActor UUID"
        )
    if props.get("owner") and now["owner"] != props["owner"]:
        warn(
            f"{NOUN} “{props['name']}” belongs to {now['owner']} instead of {props['owner']}; its owner is not changed"
        )


class Workflow(DynatraceObject, module="dynatrace", name="Workflow"):
    """The workflow with its only task and its schedule.

    Args:
        name: the workflow's title.
        script: text of ``workflow_src/sync.js``, unrendered.
        definition: content of ``workflow_src/workflow.yaml``.
        parameters, ids: values of the script's parameters; ``ids`` are credential IDs.
        actor: UUID of a service user, or empty for the OAuth client's own user.
        adopt: ID of an existing workflow to take over, or empty.

    Outputs: ``actsFor`` and ``owner``, the UUIDs of the users that Dynatrace answered with.
    """

    actsFor: pulumi.Output[str]
    owner: pulumi.Output[str]

    def __init__(
        self,
        resource: str,
        place: Properties,
        *,
        name: str,
        purpose: str,
        script: str,
        definition: Mapping[str, Any],
        parameters: ScriptParameters,
        ids: Mapping[str, pulumi.Input[str]],
        schedule: Schedule,
        private: bool,
        actor: str,
        adopt: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place,
            "name": name,
            "purpose": purpose,
            "script": script,
            "definition": definition,
            "parameters": parameters,
            "ids": {parameter: resolved(id) for parameter, id in ids.items()},
            "schedule": schedule,
            "private": private,
            "actor": actor,
            "adopt": adopt,
        }
        super().__init__(WorkflowProvider(), resource, props, opts)
