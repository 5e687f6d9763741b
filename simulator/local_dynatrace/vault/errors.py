"""Refusals of the vault, in the classic envelope. The two texts of ``details`` are the SDK's; the others UNVERIFIED."""

from __future__ import annotations

from ..kernel.routing import WireError, classic_error


def not_found(id: str) -> WireError:
    return classic_error(404, f"Credentials with id {id} not found")


def not_yet_usable(id: str) -> WireError:
    """A new id is unknown to other services for some seconds (TF#682, TF#774); here as if it did not exist."""
    return not_found(id)


def foreign() -> WireError:
    return classic_error(403, "Requested credentials belong to another user.")


def unsupported_scope(supported: str) -> WireError:
    return classic_error(400, f"Requested credentials with unsupported scope. Only {supported} supported.")


def needs_context() -> WireError:
    return classic_error(403, "Requested credentials do not allow contextless requests.")


def may_not_overwrite() -> WireError:
    return classic_error(403, "Credentials of another user can be changed only with the permission to change settings.")


def bad_page_key() -> WireError:
    return classic_error(400, "The nextPageKey is invalid or was combined with other query parameters.")


def not_simulated(what: str) -> WireError:
    return classic_error(501, f"{what} is not part of the local environment (see simulator/README.md).")
