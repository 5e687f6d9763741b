"""Checks a value against a schema: types, null, limits, preconditions, and the constraints of each property.

It knows what the two schemas need: another type or constraint fails when the schemas are loaded, not silently later.
Texts of violations are UNVERIFIED but for "Must not be null" and "Unknown property…" (facts: alerting 1). A path has
the schema's id, the object's index, then the members, joined by slashes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..kernel.checks import Violation, violation
from .schema import SCHEMAS, Schema
from .validators import VALIDATORS

SCALARS: dict[str, tuple[type, ...]] = {"text": (str,), "boolean": (bool,), "integer": (int,)}
ARRAYS = ("list", "set")


def violations(schema: Schema, value: Any, index: int = 0) -> list[Violation]:
    """Everything wrong with the value of a settings object, by path."""
    return list(_object(schema, schema.definition, value, f"{schema.id}/{index}"))


def _object(schema: Schema, type_: dict[str, Any], value: Any, at: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield violation(at, "Must be an object")
        return
    properties: dict[str, Any] = type_["properties"]
    found = [violation(f"{at}/{key}", "Unknown property was provided") for key in value if key not in properties]
    for name, property_ in properties.items():
        found += _property(schema, property_, value.get(name), f"{at}/{name}", value)
    yield from found
    if not found:  # a validator of the whole object looks at what is well formed
        yield from _constraints(type_, value, at)


def _property(
    schema: Schema, property_: dict[str, Any], value: Any, at: str, siblings: dict[str, Any]
) -> Iterator[Violation]:
    if precondition := property_.get("precondition"):
        name, expected = precondition["property"], precondition["expectedValue"]
        if type(siblings.get(name)) is not type(expected):
            return  # that member is wrong itself
        if siblings[name] != expected:
            if value is not None:
                text = f"Must not be set, as its precondition is not fulfilled ({name} is {json.dumps(expected)})"
                yield violation(at, text)
            return
    if value is None:
        if not property_["nullable"]:
            yield violation(at, "Must not be null")
        return
    yield from _value(schema, property_, value, at)


def _value(schema: Schema, node: dict[str, Any], value: Any, at: str) -> Iterator[Violation]:
    type_ = node["type"]
    if isinstance(type_, dict):
        yield from _object(schema, schema.definition["types"][type_["$ref"].rsplit("/", 1)[-1]], value, at)
    elif type_ in ARRAYS:
        yield from _array(schema, node, value, at)
    elif not isinstance(value, SCALARS[type_]) or (isinstance(value, bool) and type_ != "boolean"):
        yield violation(at, f"Must be of type {type_}")
    else:
        yield from _constraints(node, value, at)


def _array(schema: Schema, node: dict[str, Any], value: Any, at: str) -> Iterator[Violation]:
    if not isinstance(value, list):
        yield violation(at, f"Must be of type {node['type']}")
        return
    if len(value) > node["maxObjects"]:
        yield violation(at, f"Must have at most {node['maxObjects']} elements")
    if len(value) < node["minObjects"]:
        yield violation(at, f"Must have at least {node['minObjects']} elements")
    seen: set[str] = set()
    for number, item in enumerate(value):
        wrong = list(_value(schema, node["items"], item, f"{at}/{number}"))
        known = json.dumps(item, sort_keys=True)
        if not wrong and node["type"] == "set" and known in seen:
            wrong = [violation(f"{at}/{number}", "Must not contain duplicates")]
        seen.add(known)
        yield from wrong


def _constraints(node: dict[str, Any], value: Any, at: str) -> Iterator[Violation]:
    """What the first violated constraint of a node says; a validator may say several things."""
    for constraint in node.get("constraints", ()):
        if found := list(CONSTRAINTS[constraint["type"]](constraint, value, at)):
            yield from found
            return


def _length(constraint: dict[str, Any], value: str, at: str) -> Iterator[Violation]:
    least, most = constraint.get("minLength", 0), constraint["maxLength"]
    if not least <= len(value) <= most:
        yield violation(at, f"Size must be between {least} and {most}")


def _range(constraint: dict[str, Any], value: int, at: str) -> Iterator[Violation]:
    if not constraint["minimum"] <= value <= constraint["maximum"]:
        yield violation(at, f"Must be between {constraint['minimum']} and {constraint['maximum']}")


def _pattern(constraint: dict[str, Any], value: str, at: str) -> Iterator[Violation]:
    if not re.fullmatch(constraint["pattern"], value):
        yield violation(at, constraint.get("customMessage", f"Must match the pattern {constraint['pattern']}"))


def _not_blank(constraint: dict[str, Any], value: str, at: str) -> Iterator[Violation]:
    if not value.strip():
        yield violation(at, "Must not be blank")


def _custom(constraint: dict[str, Any], value: Any, at: str) -> Iterator[Violation]:
    for below, message in VALIDATORS[_name(constraint)](value):
        yield violation(f"{at}/{below}" if below else at, message)


def _name(constraint: dict[str, Any]) -> str:
    """A validator's own name, without the address of its service."""
    return str(constraint["customValidatorId"]).rsplit("/", 1)[-1]


Check = Callable[[dict[str, Any], Any, str], Iterator[Violation]]
CONSTRAINTS: dict[str, Check] = {
    "LENGTH": _length,
    "RANGE": _range,
    "PATTERN": _pattern,
    "NOT_BLANK": _not_blank,
    "CUSTOM_VALIDATOR_REF": _custom,
}


def _check_schema(schema: Schema) -> None:
    """Raises ValueError for what this interpreter does not know."""
    nodes = [schema.definition, *schema.definition["types"].values()]
    nodes += [each for node in nodes for each in node["properties"].values()]
    nodes += [node["items"] for node in nodes if "items" in node]
    for node in nodes:
        type_ = node.get("type", "object")
        if isinstance(type_, str) and type_ not in (*SCALARS, *ARRAYS, "object"):
            raise ValueError(f"{schema.id}: the type {type_} is not known")
        for constraint in node.get("constraints", ()):
            custom = constraint["type"] == "CUSTOM_VALIDATOR_REF"
            if constraint["type"] not in CONSTRAINTS or (custom and _name(constraint) not in VALIDATORS):
                raise ValueError(f"{schema.id}: the constraint {constraint} is not known")
        if node.get("precondition", {}).get("type", "EQUALS") != "EQUALS":
            raise ValueError(f"{schema.id}: the precondition {node['precondition']} is not known")


for _each in SCHEMAS.values():
    _check_schema(_each)
