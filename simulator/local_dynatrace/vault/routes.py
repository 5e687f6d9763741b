"""``/api/v2/credentials`` and its twin on the apps host, which alone gives secrets out."""

from __future__ import annotations

from collections.abc import Callable

from ..kernel.checks import constraints_violated, need_permission, small_json, violation
from ..kernel.routing import Answer, Call, Handler, Route
from . import form, listing, rules, wire


def list_entries(call: Call) -> Answer:
    return Answer(200, listing.answer(call.world, listing.requested(call), call.who.user, wire.element))


def create(call: Call) -> Answer:
    return Answer(201, {"id": rules.create(call.world, form.parse(small_json(call)), call.who.user)})


def get(call: Call) -> Answer:
    return Answer(200, wire.element(rules.metadata(call.world, call.params["id"], call.who.user)))


def put(call: Call) -> Answer:
    credential_id = call.params["id"]
    created = rules.replace(call.world, credential_id, form.parse(small_json(call)), call.who)
    return Answer(201, {"id": credential_id}) if created else Answer(204)


def delete(call: Call) -> Answer:
    rules.delete(call.world, call.params["id"], call.who)
    return Answer(204)


def details(call: Call) -> Answer:
    return Answer(200, wire.detailed(rules.details(call.world, call.params["id"], call.who.user, ("APP_ENGINE",))))


def details_list(call: Call) -> Answer:
    """All or nothing: one id that is unknown or foreign fails the call (UNVERIFIED)."""
    ids = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
    if not ids:
        raise constraints_violated([violation("ids", "must not be empty", "QUERY")])
    supported = ("SYNTHETIC", "APP_ENGINE")
    found = [rules.details(call.world, one, call.who.user, supported) for one in ids]
    return Answer(200, {"credentials": [wire.detailed(entry) for entry in found]})


def for_viewers(handler: Callable[[Call], Answer]) -> Handler:
    """The twin needs the viewer role besides its scope (SC)."""

    def checked(call: Call) -> Answer:
        need_permission(call, "environment:roles:viewer")
        return handler(call)

    return checked


CLASSIC, PLATFORM = "/api/v2/credentials", "/platform/classic/environment-api/v2/credentials"
READ, WRITE = ("credentialVault.read", "ReadConfig"), ("credentialVault.write", "WriteConfig")
OPERATIONS: list[tuple[str, str, Callable[[Call], Answer], bool]] = [
    ("GET", "", list_entries, False),
    ("POST", "", create, True),
    ("GET", "/{id}", get, False),
    ("PUT", "/{id}", put, True),
    ("DELETE", "/{id}", delete, True),
]
ROUTES = [
    *(
        Route(
            method, CLASSIC + path, handler, "vault", "classic", WRITE if writes else READ,
            "Write credential vault entries" if writes else "Read credential vault entries",
            source="CV", fidelity="approximate", note="types TOKEN and USERNAME_PASSWORD; no external vaults",
        )
        for method, path, handler, writes in OPERATIONS
    ),
    # Before the routes of one entry, as "details" would pass for an id.
    Route(
        "GET", f"{PLATFORM}/details", for_viewers(details_list), "vault", "platform",
        "environment-api:credentials:read", source="SC; scope [D]",
    ),
    Route(
        "GET", f"{PLATFORM}/{{id}}/details", for_viewers(details), "vault", "platform",
        "environment-api:credentials:read", source="SC",
    ),
    *(
        Route(
            method, PLATFORM + path, for_viewers(handler), "vault", "platform",
            f"environment-api:credentials:{'write' if writes else 'read'}",
            source="SC", fidelity="approximate", note="types TOKEN and USERNAME_PASSWORD; no external vaults",
        )
        for method, path, handler, writes in OPERATIONS
    ),
]  # fmt: skip
