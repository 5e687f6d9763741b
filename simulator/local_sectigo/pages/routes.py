"""The connector page's route."""

from __future__ import annotations

from local_dynatrace.kernel.routing import Answer, Call, Route
from local_dynatrace.pages.polling import poll_ms
from local_dynatrace.pages.render import not_found, page, route

from . import connector, ledger


def get_connector(call: Call) -> Answer:
    found = connector.all_of(call.world)
    wanted = call.query.get("workflow")
    workflow = next((each for each in found if each["id"] == wanted), None if wanted else next(iter(found), None))
    if wanted and workflow is None:
        return not_found(call, f"There is no connector {wanted}.")
    view = connector.view(call.world, workflow, call.query.get("range")) if workflow else None
    return page(
        call, "connector.html", "connector", view["title"] if view else "Connector", view=view,
        words=connector.WORDS[view["range"]] if view else "", ledger_query=connector.query_of(ledger.SOURCE),
        connectors=[(each["id"], each["title"], f"{connector.PATH}?workflow={each['id']}") for each in found],
        poll_ms=poll_ms(call, bool(view and view["alive"])),
    )  # fmt: skip


ROUTES: list[Route] = [route("GET", connector.PATH, get_connector)]
