"""Checks of single values: each returns the value as it is stored, or raises with the API's own sentence."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], Any]


class InvalidError(Exception):
    """What is wrong with a value: a list of sentences, or a dict that mirrors a nested body."""

    def __init__(self, details: str | dict[str, Any]) -> None:
        super().__init__(details)
        self.details: list[str] | dict[str, Any] = [details] if isinstance(details, str) else details


def not_simulated(what: str) -> InvalidError:
    """The platform knows it, the local environment does not: better refused than silently without effect."""
    return InvalidError(f"{what} is not part of the local environment.")


def each(checks: Mapping[str, Check], body: Mapping[str, Any]) -> dict[str, Any]:
    """Check the known members that are present; unknown ones are ignored [D]. All problems are raised at once."""
    found, problems = {}, {}
    for name, check in checks.items():
        if name in body:
            try:
                found[name] = check(body[name])
            except InvalidError as wrong:
                problems[name] = wrong.details
    if problems:
        raise InvalidError(problems)
    return found


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidError(f'Expected a dictionary of items but got type "{type(value).__name__}".')
    return value


def text(most: int | None = None, *, blank: bool = True) -> Check:
    def check(value: Any) -> str:
        if value is None:
            raise InvalidError("This field may not be null.")
        if not isinstance(value, str):
            raise InvalidError("Not a valid string.")
        if not blank and not value.strip():
            raise InvalidError("This field may not be blank.")
        if most is not None and len(value) > most:
            raise InvalidError(f"Ensure this field has no more than {most} characters.")
        return value

    return check


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidError("Must be a valid boolean.")
    return value


def whole(least: int, most: int) -> Check:
    """An integer in a range; digits in a string count too, as the API takes both (facts: dynatrace-api 5.2)."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and "{{" in value:
            raise not_simulated("An expression for a number")
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
            raise InvalidError("A valid integer is required.")
        if int(value) < least:
            raise InvalidError(f"Ensure this value is greater than or equal to {least}.")
        if int(value) > most:
            raise InvalidError(f"Ensure this value is less than or equal to {most}.")
        return value

    return check


def choice(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise InvalidError(f'"{value}" is not a valid choice.')
        return value

    return check


def uuid_text(value: Any) -> str:
    try:
        if not isinstance(value, str) or len(value) > 36:
            raise ValueError
        return str(uuid.UUID(value))
    except ValueError:
        raise InvalidError("Must be a valid UUID.") from None


def nullable(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def only_empty(what: str) -> Check:
    """A member that is accepted while it asks for nothing."""

    def check(value: Any) -> Any:
        if value in (None, "", 0, "0", False, {}, []):
            return value
        raise not_simulated(what)

    return check
