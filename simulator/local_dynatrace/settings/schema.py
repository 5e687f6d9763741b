"""``builtin:dt-javascript-runtime.allowed-outbound-connections`` 1.0.5: its definition, default and validation.

Facts: dynatrace-api 4 (the Terraform provider's copy of the schema). Texts of violations are UNVERIFIED but for their
frame, which real answers show: "Validation failed for 1 Validators.", path with schema id and object index.
"""

from __future__ import annotations

from typing import Any

from ..kernel.checks import Violation, violation
from . import hostnames

ID = "builtin:dt-javascript-runtime.allowed-outbound-connections"
VERSION = "1.0.5"
KNOWN_VERSIONS = {f"1.0.{patch}" for patch in range(6)}
SCOPE = "environment"
MAX_HOSTS = 100
GROUP, ENFORCED, HOSTS = "allowedOutboundConnections", "enforced", "hostList"
DEFAULT: dict[str, Any] = {GROUP: {ENFORCED: True, HOSTS: []}}
"""Without any object: enforced, nothing reachable (OB)."""


def violations(value: Any, index: int = 0) -> list[Violation]:
    """Everything wrong with a value, by path."""

    def at(*path: str) -> str:
        return "/".join([ID, str(index), *path])

    if not isinstance(value, dict):
        return [violation(at(), "Must be an object")]
    found = [violation(at(key), "Unknown property was provided") for key in value if key != GROUP]
    group = value.get(GROUP)
    if not isinstance(group, dict):
        return [*found, violation(at(GROUP), "Must not be null" if group is None else "Must be an object")]
    found += [violation(at(GROUP, key), "Unknown property was provided") for key in group.keys() - {ENFORCED, HOSTS}]
    enforced, hosts = group.get(ENFORCED), group.get(HOSTS)
    if not isinstance(enforced, bool):
        text = "Must not be null" if enforced is None else "Must be of type boolean"
        return [*found, violation(at(GROUP, ENFORCED), text)]
    if not enforced:
        if hosts is not None:
            text = "Must not be set, as its precondition is not fulfilled (enforced is true)"
            found.append(violation(at(GROUP, HOSTS), text))
        return found
    if not isinstance(hosts, list):
        text = "Must not be null" if hosts is None else "Must be of type set"
        return [*found, violation(at(GROUP, HOSTS), text)]
    if len(hosts) > MAX_HOSTS:
        found.append(violation(at(GROUP, HOSTS), f"Must have at most {MAX_HOSTS} elements"))
    for number, host in enumerate(hosts):
        problem = hostnames.problem(host) if isinstance(host, str) else "Must be of type text"
        if problem is None and host in hosts[:number]:
            problem = "Must not contain duplicates"
        if problem:
            found.append(violation(at(GROUP, HOSTS, str(number)), problem))
    return found


def effective_hosts(value: dict[str, Any]) -> tuple[bool, list[str]]:
    """(enforced, hosts) of a valid value."""
    group = value[GROUP]
    return group[ENFORCED], list(group.get(HOSTS) or [])


def summary(value: dict[str, Any]) -> str:
    enforced, hosts = effective_hosts(value)
    return f"{len(hosts)} allowed hosts" if enforced else "Not limited"


STUB: dict[str, Any] = {
    "schemaId": ID,
    "displayName": "Limit outbound connections",
    "latestSchemaVersion": VERSION,
    "multiObject": False,
    "ordered": False,
    "ownerBasedAccessControl": False,
    "maturity": "GENERAL_AVAILABILITY",
}
DEFINITION: dict[str, Any] = {
    "dynatrace": "1",
    "schemaId": ID,
    "displayName": STUB["displayName"],
    "description": "Hosts that functions and workflow scripts may reach",
    "version": VERSION,
    "multiObject": False,
    "maxObjects": 1,
    "maturity": STUB["maturity"],
    "allowedScopes": [SCOPE],
    "enums": {},
    "types": {
        "AllowedOutboundConnections": {
            "type": "object",
            "version": "0",
            "versionInfo": "",
            "summaryPattern": "",
            "description": "",
            "documentation": "",
            "properties": {
                ENFORCED: {
                    "displayName": "Limit outbound connections",
                    "type": "boolean",
                    "nullable": False,
                    "maxObjects": 1,
                    "default": True,
                },
                HOSTS: {
                    "displayName": "Allow-list",
                    "type": "set",
                    "nullable": False,
                    "minObjects": 0,
                    "maxObjects": MAX_HOSTS,
                    "items": {
                        "type": "text",
                        "constraints": [
                            {"type": "LENGTH", "minLength": 1, "maxLength": hostnames.MAX_LENGTH},
                            {"type": "CUSTOM_VALIDATOR_REF", "customValidatorId": "allowed-hostname"},
                        ],
                    },
                    "precondition": {"type": "EQUALS", "property": ENFORCED, "expectedValue": True},
                },
            },
        }
    },
    "properties": {
        GROUP: {
            "displayName": "",
            "type": {"$ref": "#/types/AllowedOutboundConnections"},
            "nullable": False,
            "maxObjects": 1,
            "default": DEFAULT[GROUP],
        }
    },
}
"""As ``GET …/schemas/{id}`` shows it; texts for people are UNVERIFIED."""
