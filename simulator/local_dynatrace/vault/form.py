"""What the body of a create or update must look like; everything wrong is named at once.

facts: dynatrace-api 3 (CV, SC). UNVERIFIED: that a blank secret, a missing one and an unknown field are refused.
"""

from __future__ import annotations

from typing import Any

from ..kernel.checks import Violation, constraints_violated, violation
from .entries import Content
from .errors import not_simulated

SECRET_FIELDS = {"TOKEN": ("token",), "USERNAME_PASSWORD": ("user", "password")}
OTHER_TYPES = {"CERTIFICATE", "PUBLIC_CERTIFICATE", "SNMPV3", "AWS_MONITORING_KEY_BASED", "AWS_MONITORING_ROLE_BASED"}
TYPES = {*SECRET_FIELDS, *OTHER_TYPES}
SCOPES = {"APP_ENGINE", "SYNTHETIC", "EXTENSION", "EXTENSION_AUTHENTICATION"}
ENTITY_TYPES = {"USER", "APPLICATION"}
FIELDS = {
    "name", "type", "scopes", "scope", "description", "ownerAccessOnly", "allowContextlessRequests", "allowedEntities",
    "externalVault",
}  # fmt: skip


def parse(body: Any) -> Content:
    """Read a write's body. Raises a 400 with all constraint violations."""
    if not isinstance(body, dict):
        raise constraints_violated([violation("", "must be a JSON object")])
    problems: list[Violation] = []

    def text(field: str, default: str | None = None) -> str:
        value = body.get(field, default)
        if value is None:
            problems.append(violation(field, "must not be null"))
        elif not isinstance(value, str):
            problems.append(violation(field, "must be a string"))
        elif default is None and not value.strip():
            problems.append(violation(field, "must not be blank"))
        else:
            return value
        return ""

    def flag(field: str) -> bool:
        value = body.get(field, False)
        if not isinstance(value, bool):
            problems.append(violation(field, "must be true or false"))
        return value is True

    kind = text("type")
    if kind and kind not in TYPES:
        problems.append(violation("type", f"must be one of {', '.join(sorted(TYPES))}"))
    if kind in OTHER_TYPES:
        raise not_simulated(f"Credential type {kind}")
    if body.get("externalVault") is not None:
        raise not_simulated("externalVault")
    scopes = read_scopes(body, problems)
    content = Content(
        name=text("name"),
        type=kind,
        scopes=scopes,
        secret={field: text(field) for field in SECRET_FIELDS.get(kind, ())},
        description=text("description", ""),
        owner_only=flag("ownerAccessOnly"),
        contextless=flag("allowContextlessRequests"),
        allowed=read_allowed(body.get("allowedEntities"), problems),
    )
    if content.contextless and scopes and "APP_ENGINE" not in scopes:
        problems.append(violation("allowContextlessRequests", "requires the scope APP_ENGINE"))
    if "id" in body:
        problems.append(violation("id", "must not be set: the server assigns it"))
    if kind in SECRET_FIELDS:
        for field in sorted(body.keys() - FIELDS - {"id", *SECRET_FIELDS[kind]}):
            problems.append(violation(field, f"unknown field of a {kind}"))
    if problems:
        raise constraints_violated(problems)
    return content


def read_scopes(body: dict[str, Any], problems: list[Violation]) -> list[str]:
    """``scopes``; the single ``scope`` that it replaced is still taken (deprecated since 279)."""
    old = body.get("scope")
    scopes = body.get("scopes", [old] if old is not None else None)
    if not isinstance(scopes, list) or not scopes:
        problems.append(violation("scopes", "must not be empty"))
        return []
    if wrong := [scope for scope in scopes if not isinstance(scope, str) or scope not in SCOPES]:
        problems.append(violation("scopes", f"{wrong[0]!r} is none of {', '.join(sorted(SCOPES))}"))
        return []
    return list(dict.fromkeys(scopes))


def read_allowed(entities: Any, problems: list[Violation]) -> list[dict[str, str]]:
    if entities is None:
        return []
    if not isinstance(entities, list):
        problems.append(violation("allowedEntities", "must be an array"))
        return []
    read = []
    for index, entity in enumerate(entities):
        known = isinstance(entity, dict) and entity.get("type") in ENTITY_TYPES and isinstance(entity.get("id"), str)
        if known and entity["id"]:
            read.append({"type": entity["type"], "id": entity["id"]})
        else:
            problems.append(violation(f"allowedEntities[{index}]", "needs a type (USER, APPLICATION) and an id"))
    return read
