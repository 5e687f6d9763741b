"""What the caller's token may do (``/platform/management/v1``), facts: dynatrace-api 12.

The answer is about the token that is presented: its scopes, within its user's permissions. A permission that the token
does not carry is answered as not granted, even if its user has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

PATH = "/platform/management/v1/effective-permissions:resolve"


def refused(call: Callable[..., Any], permissions: Iterable[str]) -> list[str]:
    """Those of the permissions that the token does not have. One that holds under a condition counts as granted.

    Raises ApiError: 403 without a scope that allows to ask, 404 where the environment has no such endpoint.
    """
    asked = list(permissions)
    body = {"permissions": [{"permission": permission} for permission in asked]}
    answer = call("POST", PATH, body=body, writes=False)
    # Public clients have read both forms: a list, and a list under a key; text, and booleans.
    entries = answer.get("permissions", []) if isinstance(answer, dict) else answer
    granted = {one.get("permission"): str(one.get("granted")).lower() for one in entries if isinstance(one, dict)}
    return [permission for permission in asked if granted.get(permission, "false") == "false"]
