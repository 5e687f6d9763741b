"""Templates to answers: autoescaped HTML under a strict content security policy."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..kernel.clock import MICROSECONDS
from ..kernel.routing import Answer, Call, Handler, Route

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
SECURITY = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Under no-referrer a browser sends "Origin: null" with a form, which guard.py has to refuse.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
NOTHING = "\u2013"
"""An en dash where there is no value."""
HTML = {"content-type": "text/html; charset=utf-8", **SECURITY}
NAVIGATION = (
    ("overview", "Overview", "/"),
    ("connector", "Connector", "/_sim/ui/connector"),
    ("workflows", "Workflows", "/ui/apps/dynatrace.automations/workflows"),
    ("executions", "Executions", "/ui/apps/dynatrace.automations/executions"),
    ("logs", "Logs", "/ui/apps/dynatrace.logs"),
    ("vault", "Vault", "/ui/apps/dynatrace.credential.vault"),
    ("allowlist", "Allowlist", "/ui/apps/dynatrace.settings/settings/external-requests"),
    ("requests", "Requests", "/_sim/ui/requests"),
    ("controls", "Controls", "/_sim/ui/controls"),
)


@functools.cache
def environment() -> Environment:
    """Made at the first page: a process that shows none starts quicker."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters.update(moment=moment, duration=duration, pretty=pretty, thousands=thousands)
    made.globals.update(navigation=NAVIGATION)
    return made


def route(method: str, path: str, handler: Handler, **more: Any) -> Route:
    """A line of the pages' route table."""
    return Route(method, path, handler, "pages", "own", fidelity="approximate", **more)


def page(call: Call, template: str, here: str, title: str, *, status: int = 200, **values: Any) -> Answer:
    """A whole page; ``poll_ms`` says how soon its live part is to be looked at again (0: never, see live.js)."""
    frame = {
        "here": here,
        "title": title,
        "environment_id": call.world.store.meta("environment", ""),
        "clock_mode": call.world.clock.mode,
        "now_us": call.world.clock.now_us(),
        "poll_ms": 0,
    }
    text = environment().get_template(template).render({**frame, **values})
    # A log line may hold half a surrogate pair, which UTF-8 cannot carry.
    return Answer(status, text.encode("utf-8", "replace"), dict(HTML))


def not_found(call: Call, what: str) -> Answer:
    return page(call, "missing.html", "", "Not found", status=404, what=what)


def moment(value: int | str | None) -> str:
    """``2026-01-29 08:00:00`` of microseconds or an ISO time; UTC, as everything here."""
    found = as_datetime(value)
    return found.strftime("%Y-%m-%d %H:%M:%S") if found else NOTHING


def as_datetime(value: int | str | None) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, int):
        return datetime.fromtimestamp(value // MICROSECONDS, UTC)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def duration(seconds: float | None) -> str:
    """``0.8 s``, ``12 s``, ``1 min 40 s``, ``2 h 5 min``."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = whole % 3600 // 60
    return f"{whole // 3600} h {minutes} min" if minutes else f"{whole // 3600} h"


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def thousands(value: int) -> str:
    """1234567 as 1 234 567, with narrow no-break spaces."""
    return f"{value:,}".replace(",", "\u202f")
