"""COVERAGE.md: what is simulated exactly, what approximately, what is refused; made from the route table.

``python -m local_dynatrace coverage`` prints it; a test keeps the file beside this module current.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import app, plugins
from .kernel.routing import Route, scopes_of
from .refused import REFUSED

FILE = Path(__file__).resolve().parents[1] / "COVERAGE.md"
OWN = ("control", "pages")
"""Not of a vendor: described in README.md."""
TITLES = {
    "sso": "Dynatrace SSO", "tokens": "Access tokens", "management": "Platform management", "vault": "Credential vault",
    "settings": "Settings", "automation": "Automation (workflows)", "documents": "Documents (dashboards, notebooks)",
    "logs": "Log ingest", "grail": "Grail (DQL)",
}  # fmt: skip
HEAD = """# What is simulated

Made by `python -m local_dynatrace coverage` from the route table; edit the routes, not this file.

**exact**: documented parameters, statuses, envelopes and limits, as far as public sources say; **approximate**: the
difference is listed; **refused**: 501 with a pointer, on purpose. Every other path is answered 501 too and names the
closest routes. What no source confirms is marked UNVERIFIED in the code and, where it matters, is an option
(README.md).
Sources are the keys of docs/facts/README.md: public documents, types of the `@dynatrace-sdk` packages, code of public
clients, threads of their users; [D] is derived.
"""


def coverage() -> str:
    table = {api: routes for api, routes in app.route_table().by_api().items() if api not in OWN}
    titles = {**TITLES, **{api: title for plugin in plugins.found() for api, title in plugin.api_titles.items()}}
    every = [route for routes in table.values() for route in routes]
    exact = sum(route.fidelity == "exact" for route in every)
    parts = [
        HEAD,
        f"{len(every)} routes: {exact} exact, {len(every) - exact} approximate; {len(REFUSED)} families refused.\n",
        *(f"## {titles.get(api, api)}\n\n{of_api(routes)}\n" for api, routes in table.items()),
        f"## Refused\n\n{refused()}\n",
    ]
    return "\n".join(parts)


def of_api(routes: Iterable[Route]) -> str:
    return rows(
        ("route", "scope", "fidelity", "what differs", "source"),
        (
            (
                f"`{route.method} {route.path}`",
                " or ".join(f"`{scope}`" for scope in scopes_of(route)),
                route.fidelity,
                route.note,
                route.source,
            )
            for route in routes
        ),
    )


def refused() -> str:
    return rows(
        ("route", "why", "closest route"),
        (
            (
                f"`{entry.methods.replace(' ', ', ')} {entry.path}`",
                entry.why,
                f"`{entry.instead}`" if entry.instead else "",
            )
            for entry in REFUSED
        ),
    )


def rows(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
