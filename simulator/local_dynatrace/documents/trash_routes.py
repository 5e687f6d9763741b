"""``/platform/document/v1/trash/documents…``: what the caller has deleted, to look at, restore or destroy."""

from __future__ import annotations

from ..kernel.routing import Answer, Call, Handler, Route
from . import listing, tables, wire
from .access import allowed, is_admin, rights

BASE = "/platform/document/v1/trash/documents"


def list_trash(call: Call) -> Answer:
    admin = is_admin(call)
    mine = [each for each in tables.every(call.world, trashed=True) if "delete" in rights(each, call.who.user, admin)]
    return Answer(200, listing.page(call, [wire.trash_entry(each) for each in mine], listing.TRASH_FILTERS))


def get(call: Call) -> Answer:
    return Answer(200, wire.trashed(allowed(call, "delete", trashed=True)))


def restore(call: Call) -> Answer:
    tables.from_trash(call.world, allowed(call, "delete", trashed=True).id)
    return Answer(204)


def destroy(call: Call) -> Answer:
    tables.destroy(call.world, allowed(call, "delete", trashed=True).id)
    return Answer(204)


def route(method: str, path: str, handler: Handler, right: str) -> Route:
    return Route(
        method, f"{BASE}{path}", handler, api="documents", auth="platform", scope=f"document:trash.documents:{right}",
        source="SDO; error texts UNVERIFIED", fidelity="approximate", note="nothing is destroyed after 30 days",
    )  # fmt: skip


ROUTES = [
    route("GET", "", list_trash, "read"),
    route("GET", "/{id}", get, "read"),
    route("DELETE", "/{id}", destroy, "delete"),
    route("POST", "/{id}/restore", restore, "restore"),
]
