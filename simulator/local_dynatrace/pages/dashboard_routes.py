"""Routes of the dashboard pages."""

from __future__ import annotations

from ..kernel.routing import Answer, Call
from . import dashboards
from .dashboards import PATH
from .render import SECURITY, not_found, page, route


def get_dashboards(call: Call) -> Answer:
    return page(call, "dashboards.html", "dashboards", "Dashboards", rows=dashboards.rows(call.world))


async def get_dashboard(call: Call) -> Answer:
    document = dashboards.found(call.world, call.params["id"])
    if document is None:
        return not_found(call, f"There is no dashboard {call.params['id']}.")
    try:
        view, problem = await dashboards.view(call.world, document, call.query_list), ""
    except ValueError as error:
        view, problem = None, f"This document cannot be drawn: its content is {error}."
    return page(
        call, "dashboard.html", "dashboards", document.name, document=document, view=view, problem=problem,
    )  # fmt: skip


def get_layout(call: Call) -> Answer:
    document = dashboards.found(call.world, call.params["id"])
    try:
        text = dashboards.stylesheet(dashboards.content_of(document)) if document else ""
    except ValueError:
        text = ""
    return Answer(200, text, {**SECURITY, "content-type": "text/css; charset=utf-8"})


ROUTES = [
    route("GET", PATH, get_dashboards, note="Dynatrace's path; its page looks different"),
    route(
        "GET", f"{PATH}/dashboard/{{id}}", get_dashboard, note="timeframe and variables are in the query, not behind #"
    ),
    route("GET", f"{PATH}/dashboard/{{id}}/layout.css", get_layout),
]
