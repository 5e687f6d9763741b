"""``/api/v2/settings/…`` and its twin on the apps host."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Literal

from ..kernel.checks import constraints_violated, page_size, small_json, violation
from ..kernel.routing import Answer, Call, Route, classic_error
from . import errors, objects, rules, wire
from .errors import RefusedError
from .schema import SCHEMAS, SCOPE


def list_objects(call: Call) -> Answer:
    query, offset = page_of(call)
    schema_ids, scopes = listed(query, "schemaIds"), listed(query, "scopes")
    if not schema_ids and not scopes:
        raise constraints_violated([violation("schemaIds", "either schemaIds or scopes is required", "QUERY")])
    check_known(schema_ids, scopes)
    for parameter in ("filter", "sort"):
        if query.get(parameter):
            raise classic_error(501, f"The parameter {parameter} is not part of the local environment.")
    shown = wire.fields(query, wire.OBJECT_FIELDS, wire.LIST_DEFAULT)
    external_ids = listed(query, "externalIds")
    found = [
        wire.settings_object(each, shown)
        for schema_id in schema_ids or SCHEMAS
        for each in objects.of_schema(call.world, schema_id)
        if not external_ids or each.external_id in external_ids
    ]
    return paged(query, offset, found)


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
        rules.delete(call.world, call.params["object_id"], call.who, call.query.get("updateToken"))
    except RefusedError as refused:
        raise refused.wire() from None
    return Answer(204)


def effective_values(call: Call) -> Answer:
    query, offset = page_of(call)
    if not query.get("scope"):
        raise constraints_violated([violation("scope", "must not be null", "QUERY")])
    schema_ids = listed(query, "schemaIds")
    check_known(schema_ids, [query["scope"]])
    shown = wire.fields(query, wire.EFFECTIVE_FIELDS, wire.EFFECTIVE_DEFAULT)
    found: list[dict[str, Any]] = []
    for schema in (SCHEMAS[schema_id] for schema_id in schema_ids or SCHEMAS):
        existing = objects.of_schema(call.world, schema.id)
        found += [wire.effective(each, shown) for each in existing]
        if not existing and schema.default is not None:
            found.append(wire.default(schema, shown))
    return paged(query, offset, found)


def list_schemas(call: Call) -> Answer:
    return Answer(200, {"items": [schema.stub for schema in SCHEMAS.values()], "totalCount": len(SCHEMAS)})


def get_schema(call: Call) -> Answer:
    schema = SCHEMAS.get(call.params["schema_id"])
    if schema is None or call.query.get("schemaVersion", schema.version) != schema.version:
        raise errors.envelope(errors.unknown_schema(call.params["schema_id"]))
    return Answer(200, schema.definition)


def listed(query: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in query.get(name, "").split(",") if part.strip()]


def page_of(call: Call) -> tuple[dict[str, str], int]:
    """The query parameters of a list and the offset of its page. A key of the next page has them all in itself."""
    key = call.query.get("nextPageKey")
    if not key:
        return call.query, 0
    if others := sorted(call.query.keys() - {"nextPageKey"}):
        text = "must not be combined with nextPageKey"
        raise constraints_violated([violation(name, text, "QUERY") for name in others])
    try:
        query, offset = json.loads(base64.urlsafe_b64decode(key))
        return {str(name): str(value) for name, value in query.items()}, int(offset)
    except (ValueError, TypeError, AttributeError):
        raise classic_error(400, "The nextPageKey is invalid") from None


def paged(query: dict[str, str], offset: int, items: list[dict[str, Any]]) -> Answer:
    size = page_size(query)
    key = base64.urlsafe_b64encode(json.dumps([query, offset + size]).encode()).decode()
    return Answer(200, wire.page(items, offset, size, key))


def flag(call: Call, name: str) -> bool:
    return call.query.get(name, "").lower() == "true"


def check_known(schema_ids: list[str], scopes: list[str]) -> None:
    for schema_id in schema_ids:
        if schema_id not in SCHEMAS:
            raise errors.envelope(errors.unknown_schema(schema_id))
    for scope in scopes:
        if scope != SCOPE:
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
NOTE = "two schemas: the outbound allowlist and anomaly detectors; no filter, no sort"


def classic_route(method: str, path: str, handler: Any, right: Right) -> Route:
    scope = "settings.write" if right == "settings.write" else "settings.read"
    return Route(
        method, CLASSIC + path, handler, "settings", "classic", scope, LABEL[scope],
        source="ST, SC; detectors: TF, AD, DC", fidelity="approximate", note=NOTE,
    )  # fmt: skip


def platform_route(method: str, path: str, handler: Any, right: Right) -> Route:
    return Route(
        method, PLATFORM + path, handler, "settings", "platform", OAUTH[right],
        source="SC; detectors: TF, AD, DC", fidelity="approximate", note=NOTE,
    )  # fmt: skip


ROUTES = [make(*operation) for make in (classic_route, platform_route) for operation in OPERATIONS]
