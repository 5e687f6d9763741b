"""What to try instead: one sentence for a refused line of the request log, from the route table alone."""

from __future__ import annotations

import difflib
import re
from functools import cache

from ..kernel.routing import Route, scopes_of
from ..kernel.world import LoggedRequest
from ..refused import refusal

CREDENTIALS = {
    "classic": "it wants “Authorization: Api-Token dt0c01…” with a token that is known, enabled and not expired",
    "platform": "it wants “Authorization: Bearer …”, from /sso/oauth2/token, and those live five minutes",
    "own": "what it was given is not known here, or has expired",
}


@cache
def table() -> list[tuple[re.Pattern[str], Route]]:
    from .. import app  # the application knows the pages, not the other way round

    return [(route.pattern(), route) for routes in app.routes_by_api().values() for route in routes]


def of(line: LoggedRequest) -> str:
    """Empty where the line needs none: it succeeded, or a fault rule did it."""
    if line.fault is not None or line.status < 400:
        return ""
    here = [route for pattern, route in table() if pattern.match(line.path) and route.api != "pages"]
    route = next((each for each in here if each.method == line.method), None)
    if route is None:
        return unknown(line, here)
    match line.status:
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
    return ""


def unknown(line: LoggedRequest, here: list[Route]) -> str:
    if on_purpose := refusal(line.method, line.path):
        instead = f" Closest: {on_purpose.instead}." if on_purpose.instead else ""
        return f"Not simulated: {on_purpose.why}.{instead}"
    if here:
        return f"This path takes {', '.join(sorted({route.method for route in here}))}, not {line.method}."
    paths = {route.path for _, route in table() if route.api not in ("pages", "control")}
    close = difflib.get_close_matches(line.path, sorted(paths), n=2, cutoff=0.5)
    return f"No such route. Closest: {' or '.join(close)}." if close else "No such route, and none is close."
