"""``POST …/effective-permissions:resolve`` (facts: dynatrace-api 12)."""

from __future__ import annotations

from typing import Any

from ..kernel.checks import small_json
from ..kernel.routing import Answer, Call, Route, platform_error

MAY_ASK = ("app-engine:apps:run", "app-engine:functions:run", "platform-management:effective-permissions:resolve")


def resolve(call: Call) -> Answer:
    """For each permission, whether the token that is presented has it: one that it does not carry is "false", even if
    its user has it."""
    body = small_json(call)
    asked = body.get("permissions") if isinstance(body, dict) else None
    if not isinstance(asked, list) or not all(
        isinstance(one, dict) and is_text(one.get("permission")) for one in asked
    ):
        raise platform_error(400, "permissions: expected a list of {permission}.")  # text UNVERIFIED
    held = call.who.scopes | roles(call)
    return Answer(
        200,
        [
            {"permission": one["permission"], "granted": "true" if one["permission"] in held else "false"}
            for one in asked
        ],
    )


def roles(call: Call) -> frozenset[str]:
    """Roles are no scopes: a token does not carry them (facts: dynatrace-api 2.3)."""
    return frozenset(
        name for name in call.world.identity.permissions(call.who.user) if name.startswith("environment:roles:")
    )


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


ROUTES = [
    Route(
        "POST",
        "/platform/management/v1/effective-permissions:resolve",
        resolve,
        "management",
        "platform",
        MAY_ASK,
        source="PM",
        fidelity="approximate",
        note="contexts are ignored, no permission holds under a condition",
    ),
]
