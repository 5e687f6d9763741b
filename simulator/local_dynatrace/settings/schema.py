"""The schemas of settings objects. Each is a file in ``schemas/``, in the vocabulary of ``GET …/schemas/{id}``.

``constraints`` checks a value against one; what is special about a schema (which default it has, who may write it)
stands in its row of ``SCHEMAS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("schemas")
OUTBOUND = "builtin:dt-javascript-runtime.allowed-outbound-connections"
DETECTORS = "builtin:davis.anomaly-detectors"
SCOPE = "environment"
"""The only scope that the schemas allow."""

TEXTS = {"displayName": "", "description": "", "documentation": ""}
FILLED: dict[str, dict[str, Any]] = {
    "property": {**TEXTS, "maxObjects": 1, "modificationPolicy": "DEFAULT", "nullable": False},
    "items": TEXTS,
    "type": {**TEXTS, "type": "object", "summaryPattern": "", "version": "0", "versionInfo": ""},
}
"""What the files leave out, by the kind of node."""


@dataclass(frozen=True)
class Schema:
    """One schema; ``definition`` is what ``GET …/schemas/{id}`` answers."""

    definition: dict[str, Any]
    summary: Callable[[dict[str, Any]], str]
    """The line by which the web interface shows an object."""
    default: dict[str, Any] | None = None
    """The value that is in force without any object."""
    oauth_only: bool = False
    """Written by a bearer only (facts: alerting 1)."""

    @property
    def id(self) -> str:
        return str(self.definition["schemaId"])

    @property
    def version(self) -> str:
        return str(self.definition["version"])

    @property
    def many(self) -> bool:
        return bool(self.definition["multiObject"])

    @property
    def max_objects(self) -> int:
        return int(self.definition["maxObjects"])

    def knows(self, version: object) -> bool:
        """Whether a client may name this version: ours, or an earlier patch of it."""
        front, _, patch = self.version.rpartition(".")
        return version in {f"{front}.{number}" for number in range(int(patch) + 1)}

    @cached_property
    def stub(self) -> dict[str, Any]:
        """Its entry in the list of schemas."""
        return {
            "schemaId": self.id,
            "displayName": self.definition["displayName"],
            "latestSchemaVersion": self.version,
            "multiObject": self.many,
            "ordered": self.definition["ordered"],
            "ownerBasedAccessControl": False,
            "maturity": self.definition["maturity"],
        }


def load(name: str) -> dict[str, Any]:
    definition: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    definition["types"] = {
        name: {**FILLED["type"], **type_, "properties": properties(type_["properties"])}
        for name, type_ in definition["types"].items()
    }
    return {**definition, "properties": properties(definition["properties"])}


def properties(given: dict[str, Any]) -> dict[str, Any]:
    found = {name: {**FILLED["property"], **each} for name, each in given.items()}
    for each in found.values():
        if "items" in each:
            each["items"] = {**FILLED["items"], **each["items"]}
    return found


def allowed_hosts(value: dict[str, Any]) -> str:
    group = value["allowedOutboundConnections"]
    return f"{len(group.get('hostList') or [])} allowed hosts" if group["enforced"] else "Not limited"


SCHEMAS: dict[str, Schema] = {
    schema.id: schema
    for schema in (
        Schema(
            load("outbound-connections"),
            summary=allowed_hosts,
            # Without any object: enforced, nothing reachable (OB).
            default={"allowedOutboundConnections": {"enforced": True, "hostList": []}},
        ),
        Schema(load("anomaly-detectors"), summary=lambda value: str(value["title"]), oauth_only=True),
    )
}
