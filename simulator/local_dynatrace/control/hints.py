"""What to try instead: one sentence for a refused line of the request log, from the route table alone."""

from __future__ import annotations

import difflib
from functools import lru_cache

from ..kernel.routing import Route, RouteTable, scopes_of
from ..kernel.world import LoggedRequest
from ..refused import refusal

CREDENTIALS = {
    "classic": "it wants “Authorization: Api-Token dt0c01…” with a token that is known, enabled and not expired",
    "platform": "it wants “Authorization: Bearer …”, from /sso/oauth2/token, and those live five minutes",
    "own": "what it was given is not known here, or has expired",
}


def of(line: LoggedRequest, table: RouteTable) -> str | None:
    """None where the line needs no hint: it succeeded, a fault rule did it, or it is a page, which says so itself."""
    if line.fault is not None or line.status < 400 or line.api == "pages":
        return None
    return hint(table, line.method, line.path, line.status)


@lru_cache(maxsize=4096)
def hint(table: RouteTable, method: str, path: str, status: int) -> str | None:
    found = table.find(method, path)
    if found is None or found[0].api == "pages":
        return unknown(table, method, path)
    route = found[0]
    match status:
        case 401:
            return f"Refused: {CREDENTIALS[route.auth]}."
        case 403 if scopes_of(route):
            return f"It needs the scope {' or '.join(scopes_of(route))}."
        case 404 if "{" in route.path:
            return f"The route is right ({route.path}); nothing has this id."
        case 400:
            return "The route is right; the answer's body names the member that is not."
        case 429:
            return "Too many at once; Retry-After says how long to wait."
    return None


def unknown(table: RouteTable, method: str, path: str) -> str:
    here: list[Route] = [route for route in table.at(path) if route.api != "pages"]
    if on_purpose := refusal(method, path):
        instead = f" Closest: {on_purpose.instead}." if on_purpose.instead else ""
        return f"Not simulated: {on_purpose.why}.{instead}"
    if here:
        return f"This path takes {', '.join(sorted({route.method for route in here}))}, not {method}."
    close = difflib.get_close_matches(path, table.paths(), n=2, cutoff=0.5)
    return f"No such route. Closest: {' or '.join(close)}." if close else "No such route, and none is close."
