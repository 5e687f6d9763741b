"""Refusals of the settings API: the classic envelope, or the same inside an item (facts: dynatrace-api 4)."""

from __future__ import annotations

from typing import Any

from ..kernel.checks import Violation
from ..kernel.routing import WireError, classic_error


class RefusedError(Exception):
    """One object of a request is refused; POST answers an array of these, PUT and DELETE a single one."""

    def __init__(
        self, code: int, message: str, violations: list[Violation] | None = None, invalid_value: Any = None
    ) -> None:
        super().__init__(message)
        error: dict[str, Any] = {"code": code, "message": message}
        if violations:
            error["constraintViolations"] = violations
        self.code = code
        self.item: dict[str, Any] = {"code": code, "error": error}
        if invalid_value is not None:
            self.item["invalidValue"] = invalid_value

    def wire(self) -> WireError:
        return WireError(self.code, self.item)


def invalid(violations: list[Violation], value: Any) -> RefusedError:
    return RefusedError(400, f"Validation failed for {len(violations)} Validators.", violations, value)


def unknown_schema(schema_id: object) -> RefusedError:
    return RefusedError(404, f"Schema {schema_id} not found")  # text UNVERIFIED


def unknown_scope(scope: object) -> RefusedError:
    return RefusedError(404, f"Scope {scope} not found")  # text UNVERIFIED


def unknown_object(object_id: str) -> RefusedError:
    return RefusedError(404, f"No object available for the given objectId {object_id}")


def stale_token() -> RefusedError:
    return RefusedError(409, "The object was changed since the update token was generated")  # text UNVERIFIED


def already_exists() -> RefusedError:
    return RefusedError(409, "Only one object of this schema is allowed per scope")  # text UNVERIFIED


def too_many(schema_id: str, most: int) -> RefusedError:
    return RefusedError(400, f"Only {most} objects of {schema_id} are allowed per scope")  # text UNVERIFIED


def no_oauth() -> RefusedError:
    return RefusedError(400, "No OAuth token provided")  # facts: alerting 1


def envelope(refused: RefusedError) -> WireError:
    """For GET, which uses the classic envelope."""
    error = refused.item["error"]
    return classic_error(error["code"], error["message"], error.get("constraintViolations"))
