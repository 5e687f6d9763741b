"""Wire forms of an entry: its metadata, and its details with the secret (facts: dynatrace-api 3, SC)."""

from __future__ import annotations

from typing import Any

from .entries import Entry

USAGE: list[dict[str, Any]] = []
"""``credentialUsageSummary`` counts uses by synthetic monitors, of which there are none here; scripts never count."""


def element(entry: Entry) -> dict[str, Any]:
    """Metadata: no secret, no date, no version."""
    content = entry.content
    body: dict[str, Any] = {
        "id": entry.id,
        "name": content.name,
        "description": content.description,
        "owner": entry.owner,
        "ownerAccessOnly": content.owner_only,
        # Older environments answer `scope` alone (TF#431); a reader takes the union of both.
        "scope": content.scopes[0],
        "scopes": content.scopes,
        "type": content.type,
    }
    if "APP_ENGINE" in content.scopes:
        body["allowContextlessRequests"] = content.contextless
    return {**body, "allowedEntities": content.allowed, "credentialUsageSummary": USAGE}


def detailed(entry: Entry) -> dict[str, Any]:
    """Details: ``username`` where writes say ``user``."""
    content = entry.content
    body: dict[str, Any] = {
        "name": content.name,
        "id": entry.id,
        "description": content.description,
        "owner": entry.owner,
        "ownerAccessOnly": content.owner_only,
        "credentialUsageSummary": USAGE,
        "type": content.type,
    }
    if "APP_ENGINE" not in content.scopes:  # the enum of this `scope` does not know APP_ENGINE
        body["scope"] = content.scopes[0]
    if content.type == "TOKEN":
        return {**body, "token": content.secret["token"]}
    return {**body, "username": content.secret["user"], "password": content.secret["password"]}
