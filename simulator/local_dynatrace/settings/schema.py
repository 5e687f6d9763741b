"""``builtin:dt-javascript-runtime.allowed-outbound-connections`` 1.0.5: its definition, default and validation.

facts: dynatrace-api 4 (the Terraform provider's copy of the schema). Texts of violations are UNVERIFIED but for their
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
_VALIDATOR = "functionproxy.functionproxy.svc.cluster.local:8080/internal/settings-validation/v0.1/validate-property/"
_EDITABLE = {"maxObjects": 1, "modificationPolicy": "DEFAULT", "nullable": False}
DEFINITION: dict[str, Any] = {
    "dynatrace": "1",
    "schemaId": ID,
    "displayName": STUB["displayName"],
    "description": "You can limit the accessibility of public endpoints from functions running in the Dynatrace "
    "JavaScript Runtime, for example, the backends of apps and functions written in the Dashboards, "
    "Notebooks and Automations app.",
    "documentation": "",
    "version": VERSION,
    "maturity": STUB["maturity"],
    "multiObject": STUB["multiObject"],
    "maxObjects": 1,
    "allowedScopes": [SCOPE],
    "schemaGroups": ["group:dt-javascript-runtime", "group:preferences"],
    "enums": {},
    "types": {
        "AllowedHostsList": {
            "type": "object",
            "displayName": "AllowedHostsList",
            "description": "Specifies allowed hosts and if the allowlist should be enforced.",
            "documentation": "",
            "summaryPattern": "",
            "version": "0",
            "versionInfo": "",
            "properties": {
                ENFORCED: {
                    **_EDITABLE,
                    "displayName": "Limit outbound connections to endpoints in the allowlist",
                    "description": "",
                    "documentation": "If enabled, the Dynatrace JavaScript Runtime will only be able to connect to the "
                    "specified hosts.",
                    "type": "boolean",
                    "default": True,
                },
                HOSTS: {
                    **_EDITABLE,
                    "displayName": "Allowlist",
                    "description": "",
                    "documentation": "A host that app backends should be able to connect to.",
                    "type": "set",
                    "minObjects": 0,
                    "maxObjects": MAX_HOSTS,
                    "items": {
                        "displayName": "Allowed host",
                        "description": "",
                        "documentation": "",
                        "type": "text",
                        "constraints": [
                            {"type": "LENGTH", "minLength": 1, "maxLength": hostnames.MAX_LENGTH},
                            {
                                "type": "CUSTOM_VALIDATOR_REF",
                                "customValidatorId": f"{_VALIDATOR}allowed-hostname",
                                "skipAsyncValidation": False,
                            },
                        ],
                    },
                    "precondition": {"type": "EQUALS", "property": ENFORCED, "expectedValue": True},
                },
            },
        }
    },
    "properties": {
        GROUP: {
            **_EDITABLE,
            "displayName": "",
            "description": "",
            "documentation": "",
            "type": {"$ref": "#/types/AllowedHostsList"},
        }
    },
}
"""``GET …/schemas/{id}``, member by member as in the public copy (Terraform provider, schema.json)."""
