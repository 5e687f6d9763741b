"""The dashboard: one document with a fixed ID, readable for everybody.

Only its owner may edit it, which is the service user; but administrators can, and their edits are not lost unseen: a
refresh shows them tile by tile, and an update that would overwrite edits which no refresh has seen is refused.
"""

from __future__ import annotations

from typing import Any

import pulumi

from workflow_src.watch.dashboard import changes, rendered, unrendered

from . import ownership
from .api.documents import Documents, Json, version_of
from .api.environment import Environment
from .api.errors import ApiError, Conflict, DynatraceError, Refused
from .api.scopes import DASHBOARD as NEEDS
from .api.scopes import DOCUMENT_SCOPES
from .claims import mark_of, marked
from .configuration import Properties
from .host import say, warn
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs, resolved
from .ownership import foreign, is_ours
from .workflow_form import whole

NOUN = "dashboard"
TRIES = 4


class DashboardProperties(Properties):
    name: str
    purpose: str
    documentId: str
    content: Json
    """With a placeholder for the workflow's ID."""
    workflow: str
    """The ID of the connector's workflow."""
    public: bool
    """Whether every user may read it."""
    version: int
    """Output: the document's version after our last write or look."""


class DashboardProvider(ObjectProvider[DashboardProperties]):
    compared = ("name", "purpose", "content", "workflow", "public")
    outputs = ("version",)
    needs = NEEDS

    def create_object(self, environment: Environment, props: DashboardProperties) -> tuple[str, Outputs]:
        documents, id = Documents(environment.platform), props["documentId"]
        existing = look(environment, props) or of_former_stack(environment, props)
        if existing is None:
            try:
                created = documents.create({"id": id, **fields(props)}, content_of(props))
            except Conflict:
                existing = look(environment, props)
                if existing is None:
                    empty_trash(environment, props)
                    created = documents.create({"id": id, **fields(props)}, content_of(props))
        if existing is not None:
            require_ours(existing, props)
            id = str(existing["id"])
            found = differences(environment, existing, props)
            say(f"{NOUN} “{existing['name']}” ({id}): adopted; {'; '.join(found) or 'it does not differ'}")
            created = write(environment, existing, props) if found else existing
        return id, {"version": version_of(published(environment, created))}

    def update_object(
        self, environment: Environment, id: str, olds: DashboardProperties, news: DashboardProperties
    ) -> Outputs:
        for attempt in range(TRIES):
            existing = Documents(environment.platform).metadata(id)
            if existing is None:
                raise Refused(f"{NOUN} “{news['name']}” ({id}) was deleted; pulumi up --refresh creates it again")
            require_own(existing, news, olds["stack"], news["stack"])
            refuse_to_overwrite(environment, existing, olds)
            try:
                return {"version": version_of(published(environment, write(environment, existing, news)))}
            except Conflict:
                if attempt + 1 == TRIES:
                    raise
        raise AssertionError("unreachable")

    def read_object(self, environment: Environment, id: str, props: DashboardProperties) -> Differences | None:
        live = Documents(environment.platform).metadata(id)
        if live is None:
            return None
        described = live.get("description") or ""
        purpose = props["purpose"] if described == description(props) else described
        content = unrendered(Documents(environment.platform).content(id), props["workflow"])
        found: dict[str, object] = {"name": live["name"], "purpose": purpose, "content": content}
        found["public"] = not live.get("isPrivate", False)
        before: dict[str, Any] = whole({**props})
        changed = {key: value for key, value in found.items() if value != before[key]}
        if "content" in changed:
            edits = "; ".join(changes(before["content"], content))
            warn(f"{NOUN} “{props['name']}” was edited in Dynatrace: {edits}. pulumi up --refresh overwrites the edits")
        return {**changed, "version": version_of(live)}

    def delete_object(self, environment: Environment, id: str, props: DashboardProperties) -> None:
        for attempt in range(TRIES):
            live = Documents(environment.platform).metadata(id)
            if live is None:
                break
            require_own(live, props, props["stack"])
            try:
                Documents(environment.platform).delete(id, version_of(live))
                break
            except Conflict:
                if attempt + 1 == TRIES:
                    raise
        try:
            Documents(environment.platform).purge(id)
        except DynatraceError:
            say(f"{NOUN} “{props['name']}” is in the trash, where Dynatrace keeps it for some time")


def description(props: DashboardProperties) -> str:
    return marked(props["purpose"], props["stack"])


def fields(props: DashboardProperties) -> dict[str, str]:
    return {"name": props["name"], "type": "dashboard", "description": description(props)}


def content_of(props: DashboardProperties) -> Json:
    content: Json = whole(rendered(props["content"], props["workflow"]))
    return content


def look(environment: Environment, props: DashboardProperties) -> Json | None:
    """The document with our ID, before we create one."""
    id = props["documentId"]
    try:
        return Documents(environment.platform).metadata(id)
    except ApiError as error:
        if error.status != 403:
            raise
        raise Refused(
            f"{NOUN} “{props['name']}” cannot be created: {error.text or 'forbidden'}. Either its ID {id} is in use by "
            f"another user's document, which must be deleted in Dynatrace, or {DOCUMENT_SCOPES[0]} is missing"
        ) from None


def of_former_stack(environment: Environment, props: DashboardProperties) -> Json | None:
    """The dashboard of the stack that ``formerStack`` names: its ID comes from the name that the stack had first."""
    former = props.get("formerStack", "")
    found = Documents(environment.platform).dashboards() if former else []
    return next((one for one in found if one["name"] == props["name"] and is_marked(one, props)), None)


def is_marked(live: Json, props: DashboardProperties) -> bool:
    return is_ours(live.get("description") or "", props["stack"], props.get("formerStack", ""))


def require_ours(live: Json, props: DashboardProperties) -> None:
    """Raises Refused for a document that must not be used instead of a new one."""
    if is_marked(live, props):
        return
    owner = mark_of(live.get("description") or "").stack
    if owner:
        raise foreign(f"{NOUN} “{live['name']}” ({live['id']})", [owner], props["stack"])
    raise Refused(
        f"{NOUN} “{live['name']}” ({live['id']}) has no mark of this stack, so it is not changed. Delete it in "
        "Dynatrace, or choose another name: pulumi config set name “…”"
    )


def require_own(live: Json, props: DashboardProperties, *owners: str) -> None:
    ownership.require_ours(NOUN, props["name"], live["id"], live.get("description") or "", *owners)


def empty_trash(environment: Environment, props: DashboardProperties) -> None:
    """Make room for our document where a deleted one of ours keeps its ID (whether it does is not documented)."""
    id = props["documentId"]
    try:
        trashed = Documents(environment.platform).trashed(id)
    except DynatraceError as error:
        raise Refused(
            f"{NOUN} “{props['name']}” cannot be created: its ID {id} is in use, probably by a deleted {NOUN} in the "
            f"trash, which cannot be looked at ({error}). Remove it in Dynatrace: Dashboards, “Trash”"
        ) from None
    if trashed is None:
        raise Refused(
            f"{NOUN} “{props['name']}” cannot be created: Dynatrace says that its ID {id} is in use, but shows no such "
            "document, neither here nor in the trash. Delete it in Dynatrace, as an administrator"
        )
    # The trash shows no description, so no mark; nobody but this stack makes a document of this ID.
    say(f"{NOUN} “{props['name']}”: an earlier one is removed from the trash, because it still has the ID {id}")
    Documents(environment.platform).purge(id)


def differences(environment: Environment, live: Json, props: DashboardProperties) -> list[str]:
    """What overwriting a document changes, in words."""
    found = [f"{key} changes" for key, text in fields(props).items() if (live.get(key) or "") != text]
    return found + changes(Documents(environment.platform).content(live["id"]), content_of(props))


def refuse_to_overwrite(environment: Environment, live: Json, olds: DashboardProperties) -> None:
    """Raises Refused if the document has edits that the state does not know."""
    if version_of(live) == int(olds["version"]):
        return
    edits = changes(content_of(olds), Documents(environment.platform).content(live["id"]))
    if edits:
        raise Refused(
            f"{NOUN} “{live['name']}” was edited in Dynatrace: {'; '.join(edits)}. pulumi up --refresh overwrites the "
            "edits; to keep them, duplicate the dashboard in Dynatrace first"
        )


def write(environment: Environment, live: Json, props: DashboardProperties) -> Json:
    metadata = Documents(environment.platform).update(live["id"], version_of(live), fields(props), content_of(props))
    return {**live, **metadata}


def published(environment: Environment, metadata: Json) -> Json:
    """The metadata of the document, which everybody may read from now on."""
    return Documents(environment.platform).make_public(metadata) if metadata.get("isPrivate", True) else metadata


class Dashboard(DynatraceObject, module="dynatrace", name="Dashboard"):
    """The dashboard over the audit records and the connector.

    Args:
        name: the dashboard's name.
        document_id: its ID in every deployment; no UUID.
        content: what ``workflow_src.watch.dashboard`` makes of ``dashboard.yaml``.
        workflow: ID of the connector's workflow.

    Outputs: ``version``, the document's version.
    """

    version: pulumi.Output[int]

    def __init__(
        self,
        resource: str,
        place: Properties,
        *,
        name: str,
        purpose: str,
        document_id: str,
        content: Json,
        workflow: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place,
            "name": name,
            "purpose": purpose,
            "documentId": document_id,
            "content": content,
            "workflow": resolved(workflow),
            "public": True,
        }
        super().__init__(DashboardProvider(), resource, props, opts)
