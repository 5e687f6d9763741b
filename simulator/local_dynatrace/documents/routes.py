"""``/platform/document/v1/documents…``."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.multipart import Part, multipart
from ..kernel.routing import Answer, Call, Handler, Route, WireError
from . import errors, form, listing, tables, wire
from .access import allowed, is_admin, rights
from .errors import bad_request
from .tables import Document

BASE = "/platform/document/v1/documents"
MAX_BULK = 100
LOCKING = "optimistic-locking-version"
ADD_FIELDS = ("originExtensionId", "modificationInfo.lastModifyingAppId", "labels")


def create(call: Call) -> Answer:
    id, values = form.creation(call)
    if id is not None and tables.find(call.world, id):
        raise errors.id_taken(call.world, id)
    document = tables.insert(call.world, id or call.world.ids.uuid(), call.who.user, values)
    return Answer(201, wire.metadata(call, document))


def list_documents(call: Call) -> Answer:
    for name in call.query.get("add-fields", "").split(","):
        if name and name not in ADD_FIELDS:
            raise bad_request(call.world, f"add-fields: unknown field {name!r}.")
    if "page" in call.query:
        raise errors.not_simulated("The parameter page (use page-key)")
    admin = is_admin(call)
    mine = [each for each in tables.every(call.world) if rights(each, call.who.user, admin)]
    return Answer(200, listing.page(call, [wire.metadata(call, each) for each in mine], listing.FILTERS, listing.SORTS))


def get(call: Call) -> Answer:
    """Metadata and content in one multipart answer."""
    document = allowed(call, "read")
    described = json.dumps(wire.metadata(call, document), ensure_ascii=False).encode()
    content_type, body = multipart(
        [
            Part("metadata", described, "application/json"),
            Part("content", document.content, document.content_type, document.name),
        ]
    )
    return Answer(200, body, {"content-type": content_type})


def get_metadata(call: Call) -> Answer:
    return Answer(200, wire.metadata(call, allowed(call, "read")))


def get_content(call: Call) -> Answer:
    document = allowed(call, "read")
    return Answer(200, document.content, {"content-type": document.content_type})


def patch(call: Call) -> Answer:
    """Metadata, content or both, as one new version."""
    if call.query.get("create-snapshot", "").lower() == "true":
        raise errors.not_simulated("A snapshot (create-snapshot=true)")
    document = allowed(call, "write")
    check_version(call, document)
    return Answer(200, {"documentMetadata": wire.metadata(call, changed(call, document, form.changes(call)))})


def put_content(call: Call) -> Answer:
    document = allowed(call, "write")
    check_version(call, document)
    return Answer(200, wire.metadata(call, changed(call, document, form.changes(call, ("content",)))))


def changed(call: Call, document: Document, values: dict[str, Any]) -> Document:
    return tables.update(call.world, document, call.who.user, values)


def delete(call: Call) -> Answer:
    document = allowed(call, "delete")
    check_version(call, document)
    tables.to_trash(call.world, document.id, call.who.user)
    return Answer(204)


def delete_many(call: Call) -> Answer:
    """Each document by itself: a code each, 200 over all."""
    body = call.json()
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids) or not 1 <= len(ids) <= MAX_BULK:
        raise bad_request(call.world, f"ids: expected 1 to {MAX_BULK} ids.")
    results: list[dict[str, Any]] = []
    for id in ids:
        try:
            tables.to_trash(call.world, allowed(call, "delete", id=id).id, call.who.user)
        except WireError as error:
            results.append({"id": id, "code": error.status, "error": error.body["error"]})
        else:
            results.append({"id": id, "code": 204})
    return Answer(200, {"documents": results})


def make_public(call: Call) -> Answer:
    return set_private(call, private=False)


def make_private(call: Call) -> Answer:
    return set_private(call, private=True)


def set_private(call: Call, *, private: bool) -> Answer:
    """Changes nothing if it is so already. Servers before 27 Aug 2026 answer 404 (option ``document_make_public``)."""
    if not call.world.options.document_make_public:
        raise errors.refused(call.world, 404, "Not found.")
    document = allowed(call, "delete")  # the owner alone
    if document.is_private != private:
        changed(call, document, {"is_private": private})
    return Answer(204)


def transfer_owner(call: Call) -> Answer:
    document = allowed(call, "delete")
    body = call.json()
    owner = body.get("newOwnerId") if isinstance(body, dict) else None
    if not isinstance(owner, str) or not call.world.identity.user(owner):
        raise bad_request(call.world, "newOwnerId: no such user.")
    changed(call, document, {"owner": owner})
    return Answer(204)


def check_version(call: Call, document: Document) -> None:
    """The caller must name the version that it changes. Raises 400 and 409."""
    text = call.query.get(LOCKING, "")
    if not (text.isascii() and text.isdigit()):
        raise bad_request(call.world, f"{LOCKING}: required, the document's version.")
    if int(text[:18]) != document.version:
        raise errors.stale_version(call.world, document.id, int(text[:18]), document.version)


def route(method: str, path: str, handler: Handler, right: str, note: str = "", source: str = "") -> Route:
    return Route(
        method, f"{BASE}{path}", handler, api="documents", auth="platform", scope=f"document:documents:{right}",
        source=source or "SDO; error texts UNVERIFIED", fidelity="approximate" if note else "exact", note=note,
    )  # fmt: skip


ROUTES = [
    route("POST", "", create, "write", "no quota; owner and public readers only, no shares"),
    route(
        "GET", "", list_documents, "read", "pages by page-key only; no originAppId: there are no ready-made documents"
    ),
    route("POST", ":delete", delete_many, "delete"),
    route("POST", "/{id}:makePublic", make_public, "write", source="DPD 1.35; scope [D]"),
    route("POST", "/{id}:makePrivate", make_private, "write", source="DPD 1.35; scope [D]"),
    route("POST", "/{id}:transfer-owner", transfer_owner, "write", "nobody is notified"),
    route("GET", "/{id}", get, "read"),
    route("GET", "/{id}/metadata", get_metadata, "read"),
    route("GET", "/{id}/content", get_content, "read"),
    route("PATCH", "/{id}", patch, "write", "no snapshots, no editor locks"),
    route("PUT", "/{id}/content", put_content, "write", "no snapshots, no editor locks"),
    route("DELETE", "/{id}", delete, "delete"),
]
