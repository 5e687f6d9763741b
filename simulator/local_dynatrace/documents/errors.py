"""Refusals of the Documents API: ``{"error": {"code", "message", "details": {"errorRef"}}}`` (facts: dynatrace-api 11).

The statuses are those the SDK's client names; no text was seen, so all texts are our own (UNVERIFIED).
"""

from __future__ import annotations

from ..kernel.routing import WireError, platform_error
from ..kernel.world import World


def refused(world: World, status: int, message: str) -> WireError:
    return platform_error(status, message, {"errorRef": world.ids.uuid()})


def bad_request(world: World, message: str) -> WireError:
    return refused(world, 400, message)


def not_found(world: World, id: str, place: str = "") -> WireError:
    return refused(world, 404, f"Document {id} not found{place}.")


def forbidden(world: World, id: str, what: str) -> WireError:
    """Also for a document that the caller cannot see: the SDK names 403 for "not accessible to the user"."""
    return refused(world, 403, f"Document {id}: you may not {what} it.")


def id_taken(world: World, id: str) -> WireError:
    return refused(world, 409, f"A document with the id {id} exists already.")


def stale_version(world: World, id: str, given: int, present: int) -> WireError:
    return refused(world, 409, f"Document {id} has version {present}, not {given}.")


def too_large(world: World, most_mb: int) -> WireError:
    return refused(world, 413, f"The content is larger than {most_mb} MB.")


def not_simulated(what: str) -> WireError:
    return platform_error(501, f"{what} is not part of the local environment.")
