"""``/api/v2/settings/…`` and its twin on the apps host."""

from __future__ import annotations

from typing import Any, Literal

from ..kernel.checks import constraints_violated, page_size, small_json, violation
from ..kernel.routing import Answer, Call, Route, classic_error
from . import errors, objects, rules, schema, wire
from .errors import RefusedError


def list_objects(call: Call) -> Answer:
    no_page_key(call)
    schema_ids, scopes = listed(call, "schemaIds"), listed(call, "scopes")
    if not schema_ids and not scopes:
        raise constraints_violated([violation("schemaIds", "either schemaIds or scopes is required", "QUERY")])
    check_known(schema_ids, scopes)
    for parameter in ("filter", "sort"):
        if call.query.get(parameter):
            raise classic_error(501, f"The parameter {parameter} is not part of the local environment.")
    shown = wire.fields(call, wire.OBJECT_FIELDS, wire.LIST_DEFAULT)
    existing = objects.the_one(call.world)
    external_ids = listed(call, "externalIds")
    if existing and external_ids and existing.external_id not in external_ids:
        existing = None
    return Answer(200, wire.page([wire.settings_object(existing, shown)] if existing else [], page_size(call)))


def get_object(call: Call) -> Answer:
    try:
        return Answer(200, wire.settings_object(rules.found(call.world, call.params["object_id"])))
    except RefusedError as refused:
        raise errors.envelope(refused) from None


def post_objects(call: Call) -> Answer:
    """Each item succeeds or fails by itself: one code if they agree, else 207."""
    items = small_json(call)
    if not isinstance(items, list) or not items:
        raise classic_error(400, "The body must be an array of settings objects")
    answers: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            object_id = rules.create(call.world, item, index, call.who, validate_only=flag(call, "validateOnly"))
            answers.append({"code": 200, **({"objectId": object_id} if object_id else {})})
        except RefusedError as refused:
            answers.append(refused.item)
    codes = {answer["code"] for answer in answers}
    return Answer(codes.pop() if len(codes) == 1 else 207, answers)


def put_object(call: Call) -> Answer:
    try:
        object_id = rules.replace(
            call.world,
            call.params["object_id"],
            small_json(call),
            call.who,
            validate_only=flag(call, "validateOnly"),
        )
    except RefusedError as refused:
        raise refused.wire() from None
    return Answer(200, {"code": 200, "objectId": object_id})


def delete_object(call: Call) -> Answer:
    try:
        rules.delete(call.world, call.params["object_id"], call.query.get("updateToken"))
    except RefusedError as refused:
        raise refused.wire() from None
    return Answer(204)


def effective_values(call: Call) -> Answer:
    no_page_key(call)
    if not call.query.get("scope"):
        raise constraints_violated([violation("scope", "must not be null", "QUERY")])
    check_known(listed(call, "schemaIds"), [call.query["scope"]])
    shown = wire.fields(call, wire.EFFECTIVE_FIELDS, wire.EFFECTIVE_DEFAULT)
    return Answer(200, wire.page([wire.effective(objects.the_one(call.world), shown)], page_size(call)))


def list_schemas(call: Call) -> Answer:
    return Answer(200, {"items": [schema.STUB], "totalCount": 1})


def get_schema(call: Call) -> Answer:
    version = call.query.get("schemaVersion", schema.VERSION)
    if call.params["schema_id"] != schema.ID or version != schema.VERSION:
        raise errors.envelope(errors.unknown_schema(call.params["schema_id"]))
    return Answer(200, schema.DEFINITION)


def listed(call: Call, name: str) -> list[str]:
    return [part.strip() for part in call.query.get(name, "").split(",") if part.strip()]


def flag(call: Call, name: str) -> bool:
    return call.query.get(name, "").lower() == "true"


def no_page_key(call: Call) -> None:
    """Everything fits on one page, so no key was ever given out."""
    if call.query.get("nextPageKey"):
        raise classic_error(400, "The nextPageKey is invalid")


def check_known(schema_ids: list[str], scopes: list[str]) -> None:
    for schema_id in schema_ids:
        if schema_id != schema.ID:
            raise errors.envelope(errors.unknown_schema(schema_id))
    for scope in scopes:
        if scope != schema.SCOPE:
            raise errors.envelope(errors.unknown_scope(scope))


Right = Literal["settings.read", "settings.write", "schemas.read"]
OAUTH = {
    "settings.read": "settings:objects:read",
    "settings.write": "settings:objects:write",
    "schemas.read": "settings:schemas:read",
}
LABEL = {"settings.read": "Read settings", "settings.write": "Write settings"}
OPERATIONS: list[tuple[str, str, Any, Right]] = [
    ("GET", "/objects", list_objects, "settings.read"),
    ("POST", "/objects", post_objects, "settings.write"),
    ("GET", "/objects/{object_id}", get_object, "settings.read"),
    ("PUT", "/objects/{object_id}", put_object, "settings.write"),
    ("DELETE", "/objects/{object_id}", delete_object, "settings.write"),
    ("GET", "/effectiveValues", effective_values, "settings.read"),
    ("GET", "/schemas", list_schemas, "schemas.read"),
    ("GET", "/schemas/{schema_id}", get_schema, "schemas.read"),
]
CLASSIC, PLATFORM = "/api/v2/settings", "/platform/classic/environment-api/v2/settings"
NOTE = "one schema: the outbound allowlist; no filter, no sort"


def classic_route(method: str, path: str, handler: Any, right: Right) -> Route:
    scope = "settings.write" if right == "settings.write" else "settings.read"
    return Route(
        method, CLASSIC + path, handler, "settings", "classic", scope, LABEL[scope],
        source="ST, SC", fidelity="approximate", note=NOTE,
    )  # fmt: skip


def platform_route(method: str, path: str, handler: Any, right: Right) -> Route:
    return Route(
        method, PLATFORM + path, handler, "settings", "platform", OAUTH[right],
        source="SC", fidelity="approximate", note=NOTE,
    )  # fmt: skip


ROUTES = [make(*operation) for make in (classic_route, platform_route) for operation in OPERATIONS]
