"""Templates to answers: autoescaped HTML under a strict content security policy."""

from __future__ import annotations

import difflib
import functools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..control import causes
from ..kernel.clock import MICROSECONDS
from ..kernel.routing import Answer, Call, Handler, Route
from ..plugins import Navigation, Panel, Plugin

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
CLOSE = 0.5
NOTHING = "\u2013"
"""An en dash where there is no value."""
HTML = {"content-type": "text/html; charset=utf-8", **SECURITY}
NAVIGATION = (
    Navigation("overview", "Overview", "/"),
    Navigation("dashboards", "Dashboards", "/ui/apps/dynatrace.dashboards", group="Observe"),
    Navigation("problems", "Problems", "/ui/apps/dynatrace.davis.problems", group="Observe"),
    Navigation("logs", "Logs", "/ui/apps/dynatrace.logs", group="Observe"),
    Navigation("workflows", "Workflows", "/ui/apps/dynatrace.automations/workflows", group="Automate"),
    Navigation("executions", "Executions", "/ui/apps/dynatrace.automations/executions", group="Automate"),
    Navigation("mails", "Mails", "/_sim/ui/mails", group="Automate"),
    Navigation("vault", "Vault", "/ui/apps/dynatrace.credential.vault", group="Configure"),
    Navigation("allowlist", "Allowlist", "/ui/apps/dynatrace.settings/settings/external-requests", group="Configure"),
    Navigation("requests", "Requests", "/_sim/ui/requests", group="Simulate"),
    Navigation("controls", "Controls", "/_sim/ui/controls", group="Simulate"),
)


@functools.cache
def navigation(present: tuple[Plugin, ...]) -> tuple[Navigation, ...]:
    """The entries of the navigation bar, with those of these plug-ins."""
    entries = list(NAVIGATION)
    for each in (entry for plugin in present for entry in plugin.pages.navigation):
        place = next((index for index, entry in enumerate(entries, 1) if entry.key == each.after), len(entries))
        entries.insert(place, each)
    return tuple(entries)


def grouped(entries: tuple[Navigation, ...]) -> list[tuple[str, list[Navigation]]]:
    """Entries by group; one that names none belongs to that of the entry before it."""
    groups: list[tuple[str, list[Navigation]]] = []
    for entry in entries:
        if not groups or entry.group not in ("", groups[-1][0]):
            groups.append((entry.group, []))
        groups[-1][1].append(entry)
    return groups


@functools.cache
def environment(present: tuple[Plugin, ...]) -> Environment:
    """Made at the first page: a process that shows none starts quicker."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folders = [FOLDER / "templates", *(plugin.pages.templates for plugin in present if plugin.pages.templates)]
    made = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters.update(moment=moment, duration=duration, pretty=pretty, thousands=thousands)
    made.globals.update(navigation=grouped(navigation(present)))
    return made


def route(method: str, path: str, handler: Handler, **more: Any) -> Route:
    """A line of the pages' route table."""
    return Route(method, path, handler, "pages", "own", fidelity="approximate", **more)


def frame(call: Call) -> dict[str, Any]:
    """What every template can use."""
    return {
        "environment_id": call.world.store.meta("environment", ""),
        "clock_mode": call.world.clock.mode,
        "now_us": call.world.clock.now_us(),
        "causes": causes.active(call.world),
        "clock_shift": causes.clock_shift(call.world),
        "here_path": call.path,
    }


def part(call: Call, template: str, **values: Any) -> str:
    """A piece of a page, for the panel of a plug-in."""
    return environment(call.world.plugins).get_template(template).render({**frame(call), **values})


def panels(call: Call, place: str, about: Any = None) -> Panel:
    """What the plug-ins show at one place of a page, joined."""
    from markupsafe import Markup

    makers = (plugin.pages.panels.get(place) for plugin in call.world.plugins)
    made = (maker(call, about) for maker in makers if maker)
    shown = [panel for panel in made if panel]
    return Panel(Markup("\n").join(Markup(panel.html) for panel in shown), any(panel.alive for panel in shown))


def page(call: Call, template: str, here: str, title: str, *, status: int = 200, **values: Any) -> Answer:
    """A whole page; its live part refreshes after ``poll_ms`` (0: never, see live.js)."""
    text = part(call, template, here=here, title=title, **{"poll_ms": 0, **values})
    # A log line may hold half a surrogate pair, which UTF-8 cannot carry.
    return Answer(status, text.encode("utf-8", "replace"), dict(HTML))


def not_found(call: Call, what: str) -> Answer:
    close = closest(navigation(call.world.plugins), call.path)
    return page(call, "missing.html", "", "Not found", status=404, what=what, closest=close)


def closest(entries: tuple[Navigation, ...], path: str, most: int = 3) -> list[Navigation]:
    """The pages whose address or name is most like a path, the best first; none where nothing is."""
    last = path.rstrip("/").rpartition("/")[2].rpartition(".")[2].lower()

    def likeness(entry: Navigation) -> float:
        by_path = difflib.SequenceMatcher(None, path, entry.href).ratio()
        return max(by_path, difflib.SequenceMatcher(None, last, entry.text.lower()).ratio())

    found = sorted(((likeness(entry), entry) for entry in entries), key=lambda each: -each[0])
    return [entry for ratio, entry in found[:most] if ratio > CLOSE]


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
